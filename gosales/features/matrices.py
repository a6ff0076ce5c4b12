"""Writes the feature matrices of many cutoffs and divisions, their catalogs and statistics."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.artifacts import Commit, is_current
from gosales.checksum import content_sha256, parquet_batches, parquet_files
from gosales.errors import UsageError
from gosales.etl.star import StarFacts, open_star
from gosales.features.als import require_als
from gosales.features.catalog import Feature
from gosales.features.history import open_history
from gosales.features.panel import Panel, open_panel
from gosales.months import parse_cutoffs
from gosales.run import Run

__all__ = [
    "FEATURES_VERSION",
    "FeatureReport",
    "FeatureSummary",
    "build_features",
    "ensure_features",
    "feature_columns",
]

# Raised whenever the same star and settings would give other features.
FEATURES_VERSION = 1
CATALOG = pa.schema(
    {
        "name": pa.string(),
        "family": pa.string(),
        "scope": pa.string(),
        "window": pa.string(),
        "unit": pa.string(),
        "description": pa.string(),
        "coverage": pa.float64(),
        "null_when": pa.string(),
    }
)


@dataclass(frozen=True)
class FeatureSummary:
    """One matrix: rows (customers), features, and the sha256 of its sorted content."""

    division: str
    cutoff: dt.date
    rows: int
    features: int
    checksum: str


@dataclass(frozen=True)
class FeatureReport:
    """What was asked for: one summary per (division, cutoff), and how many were built now."""

    summaries: tuple[FeatureSummary, ...]
    built: int

    @property
    def rows(self) -> int:
        return sum(summary.rows for summary in self.summaries)


def build_features(
    run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date], rebuild: bool = True
) -> FeatureReport:
    """Write ``features_``, ``feature_catalog_`` and ``feature_stats_<division>_<cutoff>``.

    With ``rebuild=False`` only what is missing or stale is built. Raises UsageError for an
    unknown division or a cutoff before the first order, MissingArtifact without a star,
    MissingExtraError when ``features.als`` is on without its extra.
    """
    if run.settings.features.als:
        require_als()
    star = open_star(run)
    names = star.about.resolve_divisions(list(divisions))
    days = _check_cutoffs(star.about, cutoffs)
    key = _key(run)
    asked = [(name, day) for name in names for day in days]
    known = {} if rebuild else {pair: s for pair in asked if (s := _recorded(run, *pair, key))}
    todo = [pair for pair in asked if pair not in known]
    if todo:
        with run.step("features") as step, run.commit("features") as change:
            change.made_from(run.workspace.fact, key=key)
            missing = sorted({day for _name, day in todo})
            history = open_history(star, run.engine, missing)
            panel = open_panel(
                run.engine,
                history,
                missing,
                star.about.divisions,
                list(dict.fromkeys(name for name, _day in todo)),
                run.settings.features,
            )
            for name, day in todo:
                known[name, day] = _write(run, change, panel, name, day)
            step.rows = sum(known[pair].rows for pair in todo)
    return FeatureReport(tuple(known[pair] for pair in asked), len(todo))


def ensure_features(
    run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date]
) -> FeatureReport:
    """As ``build_features``, but builds only what is missing or stale."""
    return build_features(run, divisions, cutoffs, rebuild=False)


def feature_columns(path: Path) -> list[str]:
    """The names of the features in a matrix, in its order."""
    return [name for name in pq.read_schema(parquet_files(path)[0]).names if name != "customer_id"]


def _check_cutoffs(about: StarFacts, cutoffs: Sequence[dt.date]) -> list[dt.date]:
    days = parse_cutoffs(cutoffs)
    if days[0] < about.first_order:
        raise UsageError(
            f"The cutoff {days[0]} is before the first order ({about.first_order}): nothing is "
            "known of any customer then.",
            f"Choose cutoffs from {about.first_order} on.",
        )
    return days


def _key(run: Run) -> str:
    content = run.settings.features.model_dump(mode="json") | {"version": FEATURES_VERSION}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _recorded(run: Run, division: str, cutoff: dt.date, key: str) -> FeatureSummary | None:
    """What is there and current, from its statistics."""
    place = run.workspace.for_cutoff
    stats = place("feature_stats", division, cutoff, "json")
    # The three files come from one commit: what holds for the matrix holds for all.
    there = stats.exists() and place("feature_catalog", division, cutoff, "csv").exists()
    if not there or not is_current(run.workspace, run.workspace.features(division, cutoff), key):
        return None
    content = json.loads(stats.read_bytes())
    return FeatureSummary(
        division, cutoff, content["rows"], content["features"], content["checksum"]
    )


def _write(
    run: Run, change: Commit, panel: Panel, division: str, cutoff: dt.date
) -> FeatureSummary:
    place = run.workspace.for_cutoff
    path = change.table(
        run.engine, panel.matrix(division, cutoff), run.workspace.features(division, cutoff)
    )
    counter = _Counter(path)
    checksum = content_sha256(counter)
    coverage = {f.name: counter.coverage(f.name) for f in panel.features}
    change.csv(
        pa.Table.from_pylist([_entry(f, coverage[f.name]) for f in panel.features], CATALOG),
        place("feature_catalog", division, cutoff, "csv"),
    )
    prior = panel.priors[division, cutoff]
    stats: dict[str, Any] = {
        "division": division,
        "cutoff": str(cutoff),
        "rows": counter.rows,
        "features": len(panel.features),
        "checksum": checksum,
        "coverage": coverage,
        "winsor_caps": panel.caps(division, cutoff),
        "priors": {
            "xdiv__div__gp_share__12m": {
                "mean": prior.mean,
                "strength_orders": prior.strength,
            }
        },
        "settings": run.settings.features.model_dump(mode="json"),
    }
    change.json(stats, place("feature_stats", division, cutoff, "json"))
    return FeatureSummary(division, cutoff, counter.rows, len(panel.features), checksum)


def _entry(feature: Feature, coverage: float | None) -> dict[str, Any]:
    return {
        "name": feature.name,
        "family": feature.family,
        "scope": feature.scope,
        "window": feature.window,
        "unit": feature.unit,
        "description": feature.description,
        "coverage": coverage,
        "null_when": feature.null_when,
    }


class _Counter:
    """The batches of a matrix, counting rows and nulls as they pass."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.nulls: dict[str, int] = {}

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in parquet_batches(self.path):
            self.rows += batch.num_rows
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self.nulls[name] = self.nulls.get(name, 0) + column.null_count
            yield batch

    def coverage(self, name: str) -> float | None:
        """Share of customers for whom a feature is known."""
        return 1 - self.nulls[name] / self.rows if self.rows else None
