from __future__ import annotations

import pytest

from gosales.models.plots import PLOTS
from gosales.workspace import Workspace
from tests.models.worlds import read_json

pytest.importorskip("matplotlib")


def test_every_plot_is_drawn_as_png_and_svg(trained: Workspace) -> None:
    for name in PLOTS:
        png = trained.for_division(name, "Alpha", "png").read_bytes()
        assert png.startswith(b"\x89PNG")
        svg = trained.for_division(name, "Alpha", "svg").read_text(encoding="utf-8")
        assert "<svg" in svg and "http-equiv" not in svg


def test_the_same_figures_give_the_same_bytes(trained: Workspace) -> None:
    import pyarrow.csv as pacsv

    from gosales.models.plots import draw

    metrics = read_json(trained.for_division("metrics", "Alpha", "json"))
    tables = {
        stem: pacsv.read_csv(trained.for_division(stem, "Alpha", "csv")).to_pylist()
        for stem in ("gains", "calibration", "shap_global")
    }
    for name, content in draw("Alpha", metrics, tables).items():
        stem, kind = name.split(".")
        assert trained.for_division(stem, "Alpha", kind).read_bytes() == content
