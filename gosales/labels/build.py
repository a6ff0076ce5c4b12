"""Writes the labels of many cutoffs and divisions, and what they look like."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from gosales.artifacts import Commit, is_current
from gosales.errors import UsageError
from gosales.etl.star import Star, StarFacts, open_star
from gosales.labels.spec import LabelSpec
from gosales.labels.table import COHORTS, label_table
from gosales.months import label_window, parse_cutoffs
from gosales.run import Run

__all__ = ["LabelReport", "LabelSummary", "build_labels", "check_cutoffs", "ensure_labels"]

UNUSUAL = (0.002, 0.5)
# Divisions that a warning names, and cutoffs that it names one by one.
MOST_NAMED, FEW_CUTOFFS = 5, 3
PREVALENCE = pa.schema(
    {
        "cutoff": pa.string(),
        "mode": pa.string(),
        "cohort": pa.string(),
        "customers": pa.int64(),
        "positives": pa.int64(),
        "prevalence": pa.float64(),
    }
)


@dataclass(frozen=True)
class LabelSummary:
    """One division at one cutoff; ``cohorts`` maps all, new_logo, ... to (customers, positives)."""

    division: str
    cutoff: dt.date
    window_start: dt.date
    window_end: dt.date
    censored: bool
    cohorts: dict[str, tuple[int, int]]

    @property
    def customers(self) -> int:
        return self.cohorts["all"][0]

    @property
    def positives(self) -> int:
        return self.cohorts["all"][1]

    @property
    def prevalence(self) -> float | None:
        """Positives per customer, 0 to 1; None without customers."""
        return self.positives / self.customers if self.customers else None


@dataclass(frozen=True)
class LabelReport:
    """What was asked for: one summary per (division, cutoff), and how many were built now."""

    summaries: tuple[LabelSummary, ...]
    built: int

    @property
    def rows(self) -> int:
        return sum(summary.customers for summary in self.summaries)


Pair = tuple[str, dt.date]


def build_labels(
    run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date], rebuild: bool = True
) -> LabelReport:
    """Write ``labels_<division>_<cutoff>.parquet``, ``prevalence_`` and ``cutoffs_<division>``.

    With ``rebuild=False`` only what is missing or stale is built. Raises UsageError for an
    unknown division or a cutoff before the first order, MissingArtifact without a star,
    ConfigError for a denylist that is not there.
    """
    star = open_star(run)
    names = star.about.resolve_divisions(list(divisions))
    days = check_cutoffs(star.about, cutoffs)
    spec = LabelSpec.from_settings(run)
    known = {pair: s for name in names for pair, s in _recorded(run, name, spec).items()}
    asked = [(name, day) for name in names for day in days]
    todo = asked if rebuild else [pair for pair in asked if pair not in known]
    if todo:
        with run.step("labels") as step:
            fresh = _build(run, star, spec, todo, known)
            step.rows = sum(summary.customers for summary in fresh.values())
        known |= fresh
        _tell(run, star, spec, [fresh[pair] for pair in todo])
    return LabelReport(tuple(known[pair] for pair in asked), len(todo))


def ensure_labels(run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date]) -> LabelReport:
    """As ``build_labels``, but builds only what is missing or stale."""
    return build_labels(run, divisions, cutoffs, rebuild=False)


def check_cutoffs(about: StarFacts, cutoffs: Sequence[dt.date]) -> list[dt.date]:
    """The cutoffs in order; raises UsageError for one before the first order."""
    days = parse_cutoffs(cutoffs)
    if days[0] < about.first_order:
        raise UsageError(
            f"The cutoff {days[0]} is before the first order ({about.first_order}).",
            f"Choose cutoffs from {about.first_order} to {about.last_order}.",
        )
    return days


def _build(
    run: Run, star: Star, spec: LabelSpec, todo: list[Pair], known: dict[Pair, LabelSummary]
) -> dict[Pair, LabelSummary]:
    """Build the rectangle of divisions and cutoffs that holds all that is to do."""
    names = list(dict.fromkeys(name for name, _day in todo))
    days = sorted({day for _name, day in todo})
    table = label_table(star, names, days, spec)
    table = run.engine.cache(table.order_by("division", "cutoff", "customer_id"))
    fresh = _summaries(run, spec, star.about, table)
    with run.commit("labels") as change:
        change.made_from(run.workspace.fact, key=spec.key)
        for name in names:
            for day in days:
                own = table.filter((table.division == name) & (table.cutoff == ibis.literal(day)))
                path = run.workspace.labels(name, day)
                change.table(run.engine, own.order_by("customer_id"), path)
            _write_summaries(run, change, name, spec, known | fresh)
    return fresh


def _summaries(
    run: Run, spec: LabelSpec, about: StarFacts, table: ir.Table
) -> dict[Pair, LabelSummary]:
    """Counts by cohort, all divisions and cutoffs in one aggregation."""
    counts: dict[str, ir.Value] = {"n_all": _.count(), "p_all": _.label.sum()}
    for cohort in COHORTS:
        flag = table[f"is_{cohort}"]
        counts |= {f"n_{cohort}": flag.sum(), f"p_{cohort}": table.label.sum(where=flag == 1)}
    found = table.group_by("division", "cutoff").agg(**counts).order_by("division", "cutoff")
    return {
        (row["division"], row["cutoff"]): LabelSummary(
            division=row["division"],
            cutoff=row["cutoff"],
            window_start=(window := label_window(row["cutoff"], spec.window_months)).start,
            window_end=window.end,
            censored=about.last_order < window.end,
            cohorts={
                cohort: (int(row[f"n_{cohort}"] or 0), int(row[f"p_{cohort}"] or 0))
                for cohort in ("all", *COHORTS)
            },
        )
        for row in run.engine.to_arrow(found).to_pylist()
    }


def _write_summaries(
    run: Run, change: Commit, division: str, spec: LabelSpec, known: dict[Pair, LabelSummary]
) -> None:
    """``prevalence_<division>.csv`` and ``cutoffs_<division>.json`` over all current cutoffs."""
    own = [known[pair] for pair in sorted(known) if pair[0] == division]
    rows: list[dict[str, object]] = []
    content: dict[str, object] = {}
    for summary in own:
        cohorts: dict[str, object] = {}
        for cohort, (customers, positives) in summary.cohorts.items():
            share = positives / customers if customers else None
            row: dict[str, object] = {
                "customers": customers,
                "positives": positives,
                "prevalence": share,
            }
            cohorts[cohort] = row
            rows.append({"cutoff": str(summary.cutoff), "mode": spec.mode, "cohort": cohort, **row})
        content[str(summary.cutoff)] = {
            "window_start": str(summary.window_start),
            "window_end": str(summary.window_end),
            "window_months": spec.window_months,
            "mode": spec.mode,
            "gp_min_threshold": spec.gp_min_threshold,
            "denylist_skus": len(spec.denylist),
            "censored": summary.censored,
            "customers": summary.customers,
            "positives": summary.positives,
            "cohorts": cohorts,
        }
    place = run.workspace.for_division
    change.csv(pa.Table.from_pylist(rows, PREVALENCE), place("prevalence", division, "csv"))
    change.json({"division": division, "cutoffs": content}, place("cutoffs", division, "json"))


def _recorded(run: Run, division: str, spec: LabelSpec) -> dict[Pair, LabelSummary]:
    """The cutoffs of a division whose labels are there and current, from its cutoffs JSON."""
    path = run.workspace.for_division("cutoffs", division, "json")
    if not is_current(run.workspace, path, spec.key):
        return {}
    found = {}
    for text, item in json.loads(path.read_bytes())["cutoffs"].items():
        day = dt.date.fromisoformat(text)
        if is_current(run.workspace, run.workspace.labels(division, day), spec.key):
            found[division, day] = LabelSummary(
                division=division,
                cutoff=day,
                window_start=dt.date.fromisoformat(item["window_start"]),
                window_end=dt.date.fromisoformat(item["window_end"]),
                censored=item["censored"],
                cohorts={
                    cohort: (row["customers"], row["positives"])
                    for cohort, row in item["cohorts"].items()
                },
            )
    return found


def _tell(run: Run, star: Star, spec: LabelSpec, fresh: list[LabelSummary]) -> None:
    """Warn of what may be wrong: censored windows, odd prevalence, SKUs that nobody sold."""
    last = star.about.last_order
    for day, end in sorted({(s.cutoff, s.window_end) for s in fresh if s.censored}):
        if day >= last:
            run.warn(
                f"The cutoff {day} is not before the last order ({last}): nothing can be known "
                "of its label window, every label is 0 and censored."
            )
        else:
            run.warn(
                f"The label window of the cutoff {day} ends on {end}, after the last order "
                f"({last}): its labels are censored and are not trained on."
            )
    odd = defaultdict(list)
    for summary in fresh:
        share = summary.prevalence
        if share is not None and not summary.censored and not UNUSUAL[0] <= share <= UNUSUAL[1]:
            odd[summary.division].append((summary.cutoff, share))
    if odd:
        named = [f"{division}, {_shares(found)}" for division, found in sorted(odd.items())]
        more = f"; and {len(named) - MOST_NAMED} more divisions" if len(named) > MOST_NAMED else ""
        run.warn(
            f"The share of positive labels is unusual (under {UNUSUAL[0]:.1%} or over "
            f"{UNUSUAL[1]:.0%}): {'; '.join(named[:MOST_NAMED])}{more}."
        )
    if spec.denylist:
        _tell_unsold(run, star, spec)


def _shares(found: list[tuple[dt.date, float]]) -> str:
    """Of a division's cutoffs: one by one where they are few."""
    if len(found) <= FEW_CUTOFFS:
        return ", ".join(f"{share:.2%} at {day}" for day, share in found)
    days, shares = zip(*found, strict=True)
    return (
        f"{min(shares):.2%} to {max(shares):.2%} at {len(found)} cutoffs "
        f"from {min(days)} to {max(days)}"
    )


def _tell_unsold(run: Run, star: Star, spec: LabelSpec) -> None:
    listed = sorted(spec.denylist)
    sold = run.engine.to_arrow(
        star.products.filter(star.products.product_sku.isin(listed)).select("product_sku")
    )
    unsold = sorted(spec.denylist - set(sold["product_sku"].to_pylist()))
    if unsold:
        some = ", ".join(unsold[:5]) + (", ..." if len(unsold) > 5 else "")
        run.warn(f"{len(unsold)} denylisted SKU(s) are not in the star: {some}.")
