"""Writes the feature matrices of many cutoffs and divisions, their catalogs and statistics."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.artifacts import Commit, is_current
from gosales.checksum import parquet_files
from gosales.errors import UsageError
from gosales.etl.star import Star, StarFacts, open_star
from gosales.features.als import require_als
from gosales.features.assemble import Matrix, Shared, matrix, open_shared
from gosales.features.attributes import Attributes, open_attributes
from gosales.features.catalog import Feature
from gosales.features.declared import features_of
from gosales.features.history import open_ledgers, tells_margin
from gosales.features.panel import Panel
from gosales.months import add_months, parse_cutoffs
from gosales.run import Run
from gosales.settings import FeatureSettings
from gosales.workspace import slug

__all__ = [
    "FEATURES_VERSION",
    "FeatureReport",
    "FeatureSummary",
    "build_features",
    "ensure_features",
    "feature_columns",
]

# Raised whenever the same star and settings would give other features.
FEATURES_VERSION = 4
# A target and its blocks.
Job = tuple[str, list[pa.Table]]
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
    days = _check_cutoffs(run, star.about, cutoffs)
    key = _key(run)
    asked = [(name, day) for name in names for day in days]
    known = {} if rebuild else {pair: s for pair in asked if (s := _recorded(run, *pair, key))}
    todo = [pair for pair in asked if pair not in known]
    if todo:
        with run.step("features", total=len(todo)) as step, run.commit("features") as change:
            change.made_from(run.workspace.fact, run.workspace.dim("customer"), key=key)
            for summary in _build(run, change, star, todo):
                known[summary.division, summary.cutoff] = summary
                step.advance(1)
            step.rows = sum(known[pair].rows for pair in todo)
    return FeatureReport(tuple(known[pair] for pair in asked), len(todo))


def ensure_features(
    run: Run,
    divisions: Sequence[str],
    cutoffs: Sequence[dt.date],
    window_months: int | None = None,
) -> FeatureReport:
    """As ``build_features``, but builds only what is missing or stale.

    ``window_months`` is the label window that features look ahead to, where it is another than
    the settings': a model is scored with features of the window that it was trained for.
    """
    if window_months is not None:
        labels = run.settings.labels.model_copy(update={"window_months": window_months})
        run = replace(run, settings=run.settings.model_copy(update={"labels": labels}))
    return build_features(run, divisions, cutoffs, rebuild=False)


def feature_columns(path: Path) -> list[str]:
    """The names of the features in a matrix, in its order."""
    return [name for name in pq.read_schema(parquet_files(path)[0]).names if name != "customer_id"]


def _check_cutoffs(run: Run, about: StarFacts, cutoffs: Sequence[dt.date]) -> list[dt.date]:
    days = parse_cutoffs(cutoffs)
    if days[0] < about.first_order:
        raise UsageError(
            f"The cutoff {days[0]} is before the first order ({about.first_order}): nothing is "
            "known of any customer then.",
            f"Choose cutoffs from {about.first_order} on.",
        )
    if days[-1] > add_months(about.last_order, 1):
        run.warn(
            f"The cutoff {days[-1]} is more than a month after the last order "
            f"({about.last_order}): it looks as if nobody had bought anything since."
        )
    return days


def _key(run: Run) -> str:
    content = run.settings.features.model_dump(mode="json") | {
        "version": FEATURES_VERSION,
        "label_window_months": run.settings.labels.window_months,
    }
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


def _build(
    run: Run, change: Commit, star: Star, todo: Sequence[tuple[str, dt.date]]
) -> Iterator[FeatureSummary]:
    """Every matrix that is to do; targets that one cutoff lacks are computed for all of them."""
    settings, cutoffs = run.settings.features, sorted({day for _name, day in todo})
    attributes = open_attributes(star.customers, run.engine)
    has_margin = tells_margin(star, run.engine)
    features = _declared(star, settings, attributes, has_margin)
    purchases = settings.affinity or settings.als
    panel = Panel(
        engine=run.engine,
        ledgers=open_ledgers(
            star, run.engine, cutoffs[-1], settings.lag_days, has_margin, purchases
        ),
        features=features,
        divisions=star.about.divisions,
        targets=list(dict.fromkeys(name for name, _day in todo)),
        settings=settings,
        ahead_months=run.settings.labels.window_months,
    )
    common, own = ([f for f in features if f.is_own == is_own] for is_own in (False, True))
    wanted = set(todo)
    with ThreadPoolExecutor(run.engine.threads) as pool:
        for part in panel.slices(cutoffs):
            shared = open_shared(part.shared, panel.ledgers.customers, common, attributes, settings)

            def make(job: Job, cutoff: dt.date = part.cutoff, shared: Shared = shared) -> Any:
                name, blocks = job
                content = matrix(shared, blocks, slug(name), own, settings)
                return _write(run, change, content, name, cutoff)

            jobs = (job for job in part.own if (job[0], part.cutoff) in wanted)
            # As many matrices are in memory as there are threads.
            while some := list(islice(jobs, run.engine.threads)):
                yield from pool.map(make, some)


def _declared(
    star: Star, settings: FeatureSettings, attributes: Attributes, has_margin: bool
) -> list[Feature]:
    """The features of this star under these settings."""
    wanted = {"affinity": settings.affinity, "als": settings.als, "margin": has_margin}
    features = features_of(
        {slug(name): name for name in star.about.divisions},
        settings.windows_months,
        settings.lag_days,
        attributes.each,
        settings.attribute_top_n,
    )
    return [f for f in features if wanted.get(f.family, True)]


def _write(
    run: Run, change: Commit, content: Matrix, division: str, cutoff: dt.date
) -> FeatureSummary:
    place, settings = run.workspace.for_cutoff, run.settings.features
    change.arrow(content.table, run.workspace.features(division, cutoff), dictionary=False)
    coverage = content.coverage
    change.csv(
        pa.Table.from_pylist([_entry(f, coverage[f.name]) for f in content.features], CATALOG),
        place("feature_catalog", division, cutoff, "csv"),
    )
    rows, features = content.table.num_rows, len(content.features)
    stats: dict[str, Any] = {
        "division": division,
        "cutoff": str(cutoff),
        "rows": rows,
        "features": features,
        "checksum": content.checksum,
        "coverage": coverage,
        "winsor_caps": content.caps,
        "learnt": content.learnt,
        "left_out": content.left_out,
        "settings": settings.model_dump(mode="json")
        | {"label_window_months": run.settings.labels.window_months},
    }
    change.json(stats, place("feature_stats", division, cutoff, "json"))
    return FeatureSummary(division, cutoff, rows, features, content.checksum)


def _entry(feature: Feature, coverage: float) -> dict[str, Any]:
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
