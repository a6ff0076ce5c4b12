"""Every notebook and example of the handbook runs, and says what is there."""

from __future__ import annotations

import importlib.util
import json
import runpy
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.docs.pages import DOCS

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.py"))
Run = Callable[[str], dict[str, Any]]


@pytest.fixture
def run(demo_run: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The names that a notebook defines once all its cells have run."""
    monkeypatch.setenv("GOSALES_WORKSPACE", str(demo_run))

    def execute(name: str) -> dict[str, Any]:
        path = DOCS / "notebooks" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of marimo's own dependencies
            spec.loader.exec_module(module)
            _, defined = module.app.run()
        return dict(defined)

    return execute


def test_the_list_is_that_of_the_artifact(run: Run, demo_run: Path) -> None:
    found = run("read_the_list")
    ranked = pq.read_table(demo_run / "gosales/outputs/whitespace.parquet").to_pylist()
    handed = [row for row in ranked if row["selected"] and not row["control"]]
    assert found["handed_out"].num_rows == len(handed) > 0
    assert sum(found["by_division"]["customers"].to_pylist()) == len(handed)
    assert found["mine"].num_rows > 1


def test_honesty_is_that_of_the_metrics(run: Run, demo_run: Path) -> None:
    found = run("honesty_by_cutoff")
    metrics = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in (demo_run / "gosales/outputs").glob("metrics_*.json")
    ]
    assert set(found["protocols"]["division"]) == {one["division"] for one in metrics}
    chosen = next(one for one in metrics if one["division"] == found["chosen"])
    assert found["error"] == pytest.approx(chosen["calibration_mae"], abs=0.02)
    assert found["lifts"].shape[0] > 1


def test_sql_counts_what_the_star_has(run: Run, demo_run: Path) -> None:
    found = run("sql_over_artifacts")
    years = found["years"].fetchall()
    facts = pq.read_table(demo_run / "gosales/data/curated/fact/fact_transactions.parquet")
    assert sum(row[2] for row in years) == sum(facts["gross_profit"].to_pylist())
    captured = [row[1] for row in found["gains"].fetchall()]
    assert captured == sorted(captured)
    assert captured[-1] == pytest.approx(1.0)
    assert found["gaps"].fetchall()


def test_the_example_runs_a_stage(
    tutorial: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(tutorial, tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    runpy.run_path(str(DOCS / "examples" / "one_stage.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "open pairs are on the list of" in said
    manifests = (tmp_path / "mine/gosales/outputs/runs").glob("*-my-script-*/manifest.json")
    assert json.loads(next(manifests).read_text(encoding="utf-8"))["status"] == "done"


def test_every_notebook_is_on_its_page() -> None:
    page = (DOCS / "notebooks.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        assert page.count(f"docs/notebooks/{path.name}") >= 2, path.name
