"""The list a seller opens: pairs that were never bought, ranked, with worth and reasons.

Reads the scores artifact and the star, nothing else. The order is total: whitespace score,
expected gross profit, probability, division, customer.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.artifacts import require
from gosales.checksum import content_sha256
from gosales.errors import NothingToDo, StaleArtifact
from gosales.etl.star import open_star
from gosales.run import Run
from gosales.whitespace.eligibility import eligible
from gosales.whitespace.signals import SIGNALS, signals, whitespace_score

__all__ = ["Opportunity", "WhitespaceReport", "rank_whitespace"]

MAX_REASON = 150
REASONS = ("reason_1", "reason_2", "reason_3")
BEST = 10


@dataclass(frozen=True)
class Opportunity:
    """One line of the list."""

    rank: int
    customer_id: str
    customer_name: str
    division: str
    probability: float
    expected_gp: float
    reason: str


@dataclass(frozen=True)
class WhitespaceReport:
    """The list in numbers, and its first lines."""

    cutoff: dt.date
    candidates: int
    eligible: int
    listed: int
    expected_gp: float
    best: tuple[Opportunity, ...]


def rank_whitespace(run: Run, cutoff: dt.date | None = None) -> WhitespaceReport:
    """Write the ranked list of the scores' cutoff.

    Raises MissingArtifact without scores, StaleArtifact when they are of another cutoff,
    NothingToDo when every scored customer has bought in every division.
    """
    place = run.workspace
    path = require(place, place.output("icp_scores.parquet"), "gosales score")
    scores = run.engine.read_parquet(path)
    scored = run.engine.scalar(scores.cutoff.max())
    day = scored.date() if isinstance(scored, dt.datetime) else scored
    if cutoff is not None and cutoff != day:
        raise StaleArtifact(
            f"The scores are of {day}, not of {cutoff}.",
            f"Make them with: gosales score --cutoff {cutoff}",
        )
    with run.step("whitespace") as step:
        kept = run.engine.to_arrow(eligible(scores, open_star(run), day))
        candidates = int(run.engine.scalar(scores.count()))
        if not kept.num_rows:
            raise NothingToDo("There is no whitespace: every customer bought in every division.")
        ranked = _ranked(kept, run)
        listed = ranked.slice(0, run.settings.whitespace.max_rows)
        report = _report(day, candidates, kept.num_rows, listed)
        _write(run, day, path, ranked, listed, report)
        step.rows = listed.num_rows
    return report


def _ranked(kept: pa.Table, run: Run) -> pa.Table:
    """All eligible pairs, best first, with ``rank``, signals and the reasons in one."""
    worth = kept.column("expected_gp").to_numpy()
    odds = kept.column("icp_score").to_numpy()
    found = signals(kept.column("icp_percentile").to_numpy(), worth)
    score = whitespace_score(found, run.settings.whitespace.weights.model_dump())
    division = np.array(kept.column("division_name").to_pylist(), dtype=np.str_)
    customer = np.array(kept.column("customer_id").to_pylist(), dtype=np.str_)
    order = np.lexsort((customer, division, -odds, -worth, -score))
    columns: dict[str, Any] = {
        "rank": pa.array(np.arange(1, len(order) + 1), pa.int64()),
        "customer_id": kept.column("customer_id").take(order),
        "customer_name": kept.column("customer_name").take(order),
        "whitespace_division": kept.column("division_name").take(order),
        "whitespace_score": pa.array(score[order]),
        "icp_score": kept.column("icp_score").take(order),
        "expected_gp": kept.column("expected_gp").take(order),
    }
    reasons = [kept.column(name).take(order) for name in REASONS]
    columns["reason"] = pa.array(
        [_joined(row) for row in zip(*(column.to_pylist() for column in reasons), strict=True)],
        pa.string(),
    )
    columns |= {name: pa.array(values[order]) for name, values in found.items()}
    columns |= dict(zip(REASONS, reasons, strict=True))
    return pa.table(columns)


def _joined(reasons: tuple[str, ...]) -> str:
    """As many reasons as fit into one line of 150 characters."""
    line = reasons[0]
    for reason in reasons[1:]:
        if reason and len(line) + len(reason) + 2 <= MAX_REASON:
            line = f"{line}; {reason}"
    return line


def _report(day: dt.date, candidates: int, kept: int, listed: pa.Table) -> WhitespaceReport:
    best = tuple(
        Opportunity(
            rank=row["rank"],
            customer_id=row["customer_id"],
            customer_name=row["customer_name"] or "",
            division=row["whitespace_division"],
            probability=row["icp_score"],
            expected_gp=row["expected_gp"],
            reason=row["reason"],
        )
        for row in listed.slice(0, BEST).to_pylist()
    )
    total = round(float(np.add.reduce(listed.column("expected_gp").to_numpy())), 2)
    return WhitespaceReport(day, candidates, kept, listed.num_rows, total, best)


def _write(
    run: Run,
    day: dt.date,
    source: Any,
    ranked: pa.Table,
    listed: pa.Table,
    report: WhitespaceReport,
) -> None:
    place = run.workspace
    short = listed.drop_columns(list(REASONS))
    with run.commit("whitespace") as change:
        change.made_from(source, place.fact)
        change.csv(short, place.output("whitespace.csv"))
        change.arrow(short, place.output("whitespace.parquet"))
        change.csv(listed, place.output(f"whitespace_{day}.csv"))
        change.csv(_explanations(listed), place.output(f"whitespace_explanations_{day}.csv"))
        change.csv(_thresholds(run, ranked), place.output(f"thresholds_whitespace_{day}.csv"))
        change.json(_metrics(run, listed, report), place.output(f"whitespace_metrics_{day}.json"))


def _explanations(listed: pa.Table) -> pa.Table:
    """One row a reason, numbered within its pair."""
    keys = ["rank", "customer_id", "whitespace_division"]
    parts = []
    for number, name in enumerate(REASONS, start=1):
        part = listed.select([*keys, name]).rename_columns([*keys, "reason"])
        part = part.filter(pc.not_equal(part.column("reason"), ""))
        part = part.append_column("number", pa.array([number] * part.num_rows, pa.int64()))
        parts.append(part)
    table = pa.concat_tables(parts).sort_by([("rank", "ascending"), ("number", "ascending")])
    return table.select([*keys, "number", "reason"])


def _thresholds(run: Run, ranked: pa.Table) -> pa.Table:
    """The score of the last pair within each share of the list, how many reach it, their worth."""
    score = ranked.column("whitespace_score").to_numpy()
    worth = ranked.column("expected_gp").to_numpy()
    rows = []
    for k in run.settings.whitespace.capacity_percents:
        last = min(max(int(np.ceil(round(len(score) * k / 100, 9))), 1), len(score))
        reach = score >= score[last - 1]
        rows.append(
            {
                "k_percent": float(k),
                "threshold": float(score[last - 1]),
                "count": int(reach.sum()),
                "expected_gp": round(float(np.add.reduce(worth[reach])), 2),
            }
        )
    return pa.Table.from_pylist(rows)


def _metrics(run: Run, listed: pa.Table, report: WhitespaceReport) -> dict[str, Any]:
    top = listed.slice(0, max(1, listed.num_rows // 10))
    return {
        "cutoff": str(report.cutoff),
        "weights": run.settings.whitespace.weights.model_dump(),
        "coverage": {
            name: 1 - listed.column(name).null_count / listed.num_rows for name in SIGNALS
        },
        "eligibility": {
            "candidates": report.candidates,
            "removed": {"bought_before": report.candidates - report.eligible},
            "eligible": report.eligible,
            "beyond_max_rows": report.eligible - report.listed,
            "listed": report.listed,
        },
        "shares": {"list": _shares(listed), "top_10_percent": _shares(top)},
        "expected_gp": report.expected_gp,
        "expected_buyers": round(float(np.add.reduce(listed.column("icp_score").to_numpy())), 4),
        "checksum": content_sha256(listed.to_batches()),
    }


def _shares(table: pa.Table) -> dict[str, float]:
    """The share of each division in the rows."""
    counts = pc.value_counts(table.column("whitespace_division").combine_chunks()).to_pylist()
    pairs = sorted((row["values"], row["counts"]) for row in counts)
    return {name: count / table.num_rows for name, count in pairs}
