"""What a list says of itself: explanations, thresholds and the figures in its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.checksum import content_sha256
from gosales.etl.star import read_star_facts
from gosales.months import add_months
from gosales.run import Run
from gosales.scoring import CERTAIN, LIKELY, Outlook
from gosales.whitespace.capacity import Capacity, share_count
from gosales.whitespace.capture import capture, realised
from gosales.whitespace.eligibility import Eligible
from gosales.whitespace.learned import Learned
from gosales.whitespace.ledger import overlap
from gosales.whitespace.ranking import Pairs
from gosales.whitespace.scored import Scored
from gosales.whitespace.signals import Weights

__all__ = ["REASONS", "Listing", "explanations", "metrics", "thresholds"]

REASONS = ("reason_1", "reason_2", "reason_3")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Listing:
    """The ranked table (``selected`` rows first) and how it came about.

    ``score`` stands row for row beside the eligible pairs, not the table.
    """

    scored: Scored
    eligible: Eligible
    learned: Learned
    weights: Weights
    score: Floats
    capacity: Capacity
    table: pa.Table
    outlook: Outlook

    @cached_property
    def selected(self) -> pa.Table:
        return self.table.filter(pc.equal(self.table.column("selected"), 1))

    @cached_property
    def control(self) -> pa.Table:
        return self.selected.filter(pc.equal(self.selected.column("control"), 1))

    @cached_property
    def handed(self) -> pa.Table:
        """The rows that go to the team: selected and not held back."""
        return self.selected.filter(pc.equal(self.selected.column("control"), 0))

    @property
    def expected_gp(self) -> float:
        return total(self.handed, "expected_gp")

    def intervals(self, coverage: float) -> dict[str, list[float]]:
        """Within which the rows handed to the team will bring buyers and gross profit."""
        odds, worth = (self.handed.column(n).to_numpy() for n in ("icp_score", "expected_gp"))
        division = self.handed.column("whitespace_division").to_pylist()
        return self.outlook.intervals(odds, worth, division, coverage)


def total(table: pa.Table, column: str) -> float:
    return round(float(np.add.reduce(table.column(column).to_numpy())), 2)


def explanations(listing: Listing) -> pa.Table:
    """One row a reason, numbered within its pair."""
    keys = ["rank", "customer_id", "whitespace_division"]
    parts = []
    for number, name in enumerate(REASONS, start=1):
        part = listing.table.select([*keys, name]).rename_columns([*keys, "reason"])
        part = part.filter(pc.not_equal(part.column("reason"), ""))
        part = part.append_column("number", pa.array([number] * part.num_rows, pa.int64()))
        parts.append(part)
    table = pa.concat_tables(parts).sort_by([("rank", "ascending"), ("number", "ascending")])
    return table.select([*keys, "number", "reason"])


def thresholds(run: Run, pairs: Pairs, listing: Listing) -> pa.Table:
    """The score of the last pair within each share of the eligible, how many reach it, their
    expected gross profit.
    """
    order = np.argsort(-listing.score, kind="stable")
    score, worth = listing.score[order], pairs.worth[order]
    rows = []
    for k in run.settings.whitespace.capacity_percents:
        last = score[share_count(len(score), k) - 1]
        reach = int(np.searchsorted(-score, -last, side="right"))
        rows.append(
            {
                "k_percent": float(k),
                "threshold": float(last),
                "count": reach,
                "expected_gp": round(float(np.add.reduce(np.sort(worth[:reach]))), 2),
            }
        )
    return pa.Table.from_pylist(rows)


def metrics(run: Run, pairs: Pairs, listing: Listing, ledger: pa.Table) -> dict[str, Any]:
    """Everything in ``whitespace_metrics_<cutoff>.json``."""
    settings, scored, handed = run.settings.whitespace, listing.scored, listing.handed
    eligible = listing.eligible
    kept = eligible.pairs.num_rows
    return {
        "cutoff": str(scored.cutoff),
        "window_months": scored.window_months,
        "in_sample": bool(scored.hindsight),
        "in_sample_divisions": list(scored.hindsight),
        "weights": {
            "asked": dict(listing.weights.asked),
            "used": dict(listing.weights.used),
            "learned_at": [str(day) for day in listing.learned.cutoffs],
            "notes": list(listing.weights.notes),
        },
        "normalize": settings.normalize,
        "coverage": dict(pairs.signals.coverage),
        "eligibility": {
            "candidates": eligible.candidates,
            "removed": eligible.removed,
            "eligible": kept,
            "beyond_max_rows": kept - listing.table.num_rows,
            "written": listing.table.num_rows,
        },
        "capacity": {
            "mode": settings.capacity_mode,
            "percent": settings.capacity_percent,
            "accounts_per_rep": settings.accounts_per_rep,
            "max_division_share": settings.max_division_share,
            "asked": listing.capacity.asked,
            "selected": listing.selected.num_rows,
            "control": listing.control.num_rows,
            "listed": handed.num_rows,
            "customers": len(pc.unique(handed.column("customer_id"))),
            "note": listing.capacity.note,
        },
        "shares": {"list": _shares(handed), "eligible": _shares(listing.table)},
        "expected_gp": listing.expected_gp,
        "expected_buyers": round(float(np.add.reduce(handed.column("icp_score").to_numpy())), 4),
        "intervals": {f"{c:.0%}": listing.intervals(c) for c in (LIKELY, CERTAIN)},
        "stability": overlap(ledger, scored.cutoff, listing.selected),
        "performance": _performance(run, listing),
        "checksum": content_sha256(listing.table.to_batches()),
    }


def _shares(table: pa.Table) -> dict[str, float]:
    """The share of each division in the rows."""
    counts = pc.value_counts(table.column("whitespace_division").combine_chunks()).to_pylist()
    pairs = sorted((row["values"], row["counts"]) for row in counts)
    return {name: count / table.num_rows for name, count in pairs}


def _performance(run: Run, listing: Listing) -> dict[str, Any]:
    """What the window after the cutoff brought, or why there is no such figure."""
    scored = listing.scored
    if scored.hindsight:
        return {"shown": False, "why": "in-sample: models had seen this window"}
    end = add_months(scored.cutoff, scored.window_months)
    if read_star_facts(run.workspace).last_order < end:
        return {"shown": False, "why": f"the label window closes on {end}, after the last order"}
    table = listing.table.rename_columns(
        ["division_name" if n == "whitespace_division" else n for n in listing.table.column_names]
    )
    label, profit = realised(run, table, scored.cutoff)
    kept = listing.eligible.pairs.num_rows
    handed = (table.column("selected").to_numpy() > 0) & (table.column("control").to_numpy() == 0)
    return {
        "shown": True,
        "window_end": str(end),
        "buyers": int(label[handed].sum()),
        "gross_profit": round(float(np.add.reduce(profit[handed])), 2),
        "captured": capture(label, profit, run.settings.whitespace.capacity_percents, kept),
    }
