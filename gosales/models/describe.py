"""A trained division as bytes, every artifact of Phase 3, and its line in the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gosales.artifacts import read_registry
from gosales.models import card, plots
from gosales.models.division import Trained
from gosales.models.evaluate import calibration_bins, gains, thresholds
from gosales.models.explain import coefficients, shap_global, shap_sample
from gosales.models.frame import Frame
from gosales.models.persist import json_bytes, model_files, sha256
from gosales.run import Run, versions
from gosales.safe_csv import csv_bytes
from gosales.workspace import Workspace

__all__ = ["Described", "DivisionSummary", "describe", "inputs_of"]

PERCENTS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0)
SHAP_ROWS = 2000
DRAWN = ("gains", "calibration", "shap_global")
# A division without a figure of its own has these tables too, empty.
NUMBERS = {
    "gains": ("decile", "bought_in_division_mean", "count", "p_mean"),
    "calibration": ("bin", "mean_predicted", "fraction_positives", "count"),
    "thresholds": ("k_percent", "threshold", "count"),
}
WHOLE = ("decile", "bin", "count")


@dataclass(frozen=True)
class DivisionSummary:
    """A trained division in one line; the figures are out of time (see ``protocol``)."""

    division: str
    selected_model: str
    protocol: str
    positives: int
    auc: float | None
    lift_at_10: float | None
    brier_skill: float | None
    calibration_mae: float | None
    expansion_auc: float | None
    expansion_lift_at_10: float | None
    beats_rule: bool | None


@dataclass(frozen=True)
class Described:
    """``files`` by their path, and the ones that this model does not have."""

    files: dict[Path, bytes]
    removed: list[Path]
    summary: DivisionSummary


def describe(run: Run, frame: Frame, trained: Trained, seed: int) -> Described:
    """Every artifact of the division as bytes."""
    place, settings = run.workspace, run.settings.modeling
    figures = card.metrics(frame, trained, settings, seed)
    files = {place.for_division("metrics", frame.division, "json"): json_bytes(figures)}
    removed: list[Path] = []
    tables = _tables(frame, trained, seed, settings.shap_sample_rows)
    if plots.available():
        rows = {stem: table.to_pylist() for stem in DRAWN if (table := tables[stem]) is not None}
        drawn = plots.draw(frame.division, figures, rows)
        for stem in plots.PLOTS:
            for kind in plots.KINDS:
                path = place.for_division(stem, frame.division, kind)
                if (content := drawn.get(f"{stem}.{kind}")) is None:
                    removed.append(path)
                else:
                    files[path] = content
    for stem, table in tables.items():
        path = place.for_division(stem, frame.division, "csv")
        if table is None:
            removed.append(path)
        else:
            files[path] = csv_bytes(table)
    inputs = _inputs(run, frame)
    described = card.metadata(frame, trained, inputs)
    files |= model_files(place.model(frame.division), trained.classifier, described)
    about = {
        "seed": seed,
        "run_id": run.run_id,
        "versions": versions(),
        "artifacts": {place.relative(path): sha256(content) for path, content in files.items()},
    }
    path = place.for_division("model_card", frame.division, "json")
    files[path] = json_bytes(card.model_card(frame, trained, figures, settings, about))
    return Described(files, removed, _summary(frame, trained, figures))


def _tables(frame: Frame, trained: Trained, seed: int, sample: int) -> dict[str, pa.Table | None]:
    """The CSV artifacts by their stem; None for one that this model does not have."""
    judged = trained.judged
    label, at = frame.label[judged.rows], frame.cutoff[judged.rows]
    newest = at == at.max(initial=0)
    rows = frame.cutoff_rows(frame.cutoffs[-1])
    spread = rows[:: max(1, len(rows) // SHAP_ROWS)]
    names = [str(name) for name in trained.classifier.feature_names_in_]
    places = np.array([frame.names.index(name) for name in names])
    parts = trained.classifier.contributions(np.ascontiguousarray(frame.x[np.ix_(spread, places)]))
    found = {
        "gains": gains(judged.p, label, frame.code[judged.rows], at),
        "calibration": calibration_bins(judged.p, label),
        "thresholds": thresholds(judged.p[newest], PERCENTS),
    }
    return {
        **{stem: _numbers(stem, table) for stem, table in found.items()},
        "shap_global": shap_global(trained.classifier, parts),
        "shap_sample": shap_sample(trained.classifier, frame, spread, parts, seed, sample),
        "coef": coefficients(trained.classifier),
    }


def _numbers(stem: str, rows: list[dict[str, float]]) -> pa.Table:
    kinds = [pa.int64() if name in WHOLE else pa.float64() for name in NUMBERS[stem]]
    return pa.Table.from_pylist(rows, pa.schema(zip(NUMBERS[stem], kinds, strict=True)))


def inputs_of(place: Workspace, division: str, cutoffs: Sequence[dt.date]) -> list[Path]:
    return [find(division, day) for day in cutoffs for find in (place.labels, place.features)]


def _inputs(run: Run, frame: Frame) -> dict[str, str]:
    registry = read_registry(run.workspace)
    names = map(run.workspace.relative, inputs_of(run.workspace, frame.division, frame.cutoffs))
    return {name: registry[name].sha256 for name in names}


def _summary(frame: Frame, trained: Trained, figures: dict[str, Any]) -> DivisionSummary:
    expansion = figures["cohorts"]["expansion"]
    return DivisionSummary(
        division=frame.division,
        selected_model=card.selected_model(trained.classifier),
        protocol=trained.plan.kind,
        positives=int(frame.label.sum()),
        auc=figures["auc"],
        lift_at_10=figures["lift_at_10"],
        brier_skill=figures["brier_skill"],
        calibration_mae=figures["calibration_mae"],
        expansion_auc=expansion["auc"],
        expansion_lift_at_10=expansion["lift_at_10"],
        beats_rule=figures["against_rule"]["all"]["beats_rule"],
    )
