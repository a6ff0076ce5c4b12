"""Eligible pairs to a ranked table: signals, score, total order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gosales.run import Run
from gosales.scoring import percentile
from gosales.whitespace.covered import COLUMNS, feature_signals
from gosales.whitespace.signals import SIGNALS, Signals, rows_of, signals

__all__ = ["Pairs", "codes", "floats", "open_pairs"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Eligible pairs and their signals, row for row.

    ``table``: as ``eligible_pairs`` gives it. ``division`` and ``customer`` number the names in
    their alphabetical order; ``raw`` holds the signals' values before they were normalised.
    """

    table: pa.Table
    divisions: tuple[str, ...]
    division: Ints
    customer: Ints
    worth: Floats
    odds: Floats
    raw: Mapping[str, Floats]
    signals: Signals

    def order(self, score: Floats) -> Ints:
        """Rows best first: score, expected gross profit, probability, division, customer."""
        return np.lexsort((self.customer, self.division, -self.odds, -self.worth, -score))

    def ranked(self, score: Floats, order: Ints) -> pa.Table:
        """The columns of the list, in this order, ranked from 1."""
        table = self.table.take(pa.array(order))
        within = np.empty(len(self.odds))
        for rows in rows_of(self.division):
            within[rows] = percentile(self.odds[rows])
        columns = {
            "rank": pa.array(np.arange(1, len(order) + 1), pa.int64()),
            "customer_id": table.column("customer_id"),
            "customer_name": table.column("customer_name"),
            "whitespace_division": table.column("division_name"),
            "whitespace_score": pa.array(score[order]),
            "icp_score": table.column("icp_score"),
            "expected_gp": table.column("expected_gp"),
            "region": table.column("region"),
            "rep": table.column("rep"),
            "last_bought": table.column("last_bought"),
            "probability_percentile": pa.array(within[order]),
            "expected_gp_capped": pa.array(np.round(self.raw["expected_gp_capped"][order], 4)),
        }
        columns |= {name: _nullable(self.raw[name][order]) for name in COLUMNS}
        columns["relative_worth"] = _nullable(np.round(self.raw["relative_worth"][order], 4))
        columns |= {f"{n}_signal": _nullable(self.signals.values[n][order]) for n in SIGNALS}
        columns |= {f"reason_{n}": table.column(f"reason_{n}") for n in (1, 2, 3)}
        return pa.table(columns)


def open_pairs(run: Run, eligible: pa.Table, cutoff: dt.date) -> Pairs:
    """The eligible pairs with their signals, normalised as ``whitespace.normalize`` says."""
    divisions, division = codes(eligible.column("division_name"))
    _, customer = codes(eligible.column("customer_id"))
    worth, odds = floats(eligible.column("expected_gp")), floats(eligible.column("icp_score"))
    customers = eligible.column("customer_id").combine_chunks()
    raw = feature_signals(run, divisions, cutoff, customers, division)
    found = signals(
        odds,
        worth,
        raw["affinity_lift_max"],
        raw["affinity_lift_mean"],
        raw["als_similarity"],
        division,
        run.settings.whitespace.normalize,
    )
    raw |= found.worth
    return Pairs(eligible, tuple(divisions), division, customer, worth, odds, raw, found)


def codes(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """The distinct texts in their order, and each row's place among them (-1: null)."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(names, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    found = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    numbers = np.append(place, -1)[found]
    return names[order].tolist(), numbers


def floats(column: pa.ChunkedArray) -> Floats:
    """As float64, null as NaN."""
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, from_pandas=True)
