"""Pairs of earlier cutoffs with what came of them, and how much of it the first of them hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gosales.etl.star import open_star, read_star_facts
from gosales.run import Run
from gosales.scoring import Outlook
from gosales.whitespace.backtest import backtest_forecasts, backtest_scores, earlier_cutoffs
from gosales.whitespace.capacity import Limits, choose
from gosales.whitespace.capture import realised
from gosales.whitespace.eligibility import eligible_pairs
from gosales.whitespace.ranking import Pairs, codes, open_pairs
from gosales.whitespace.signals import effective_weights

__all__ = ["PERCENTS", "Case", "Floats", "Ints", "captured", "cases", "listed", "resampled"]

PERCENTS = (5.0, 10.0, 20.0)
DRAWS = 400
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """The pairs of a cutoff and what came of them."""

    run: Run
    cutoff: dt.date
    pairs: Pairs
    label: Floats
    profit: Floats
    outlook: Outlook

    def names(self) -> npt.NDArray[np.str_]:
        """The customers in the order of their numbers."""
        return np.array(codes(self.pairs.table["customer_id"])[0], dtype=np.str_)


def cases(run: Run, count: int, months: int | None = None) -> Iterator[Case]:
    """The newest cutoffs whose window has closed, newest first, so many months apart (None: a
    window)."""
    last = read_star_facts(run.workspace).last_order
    for cutoff in earlier_cutoffs(run, last, count, months):
        scores = run.engine.read_parquet(backtest_scores(run, cutoff))
        table = eligible_pairs(run, scores, open_star(run), cutoff, lists=False).pairs
        table = table.sort_by([("customer_id", "ascending"), ("division_name", "ascending")])
        pairs = open_pairs(run, table, cutoff)
        label, profit = realised(run, pairs.table, cutoff)
        met = pq.read_table(backtest_forecasts(run, cutoff)).to_pylist()
        yield Case(run, cutoff, pairs, label, profit, Outlook.of(met, "expansion"))


def listed(case: Case, weights: dict[str, float], share: float) -> Ints:
    """The order that a list of these weights and this most of one division has."""
    pairs, settings = case.pairs, case.run.settings.whitespace
    used = effective_weights(weights, pairs.signals.coverage, settings.min_coverage).used
    order = pairs.order(pairs.signals.score(used))
    nobody = np.full(len(order), -1)
    limits = Limits("hybrid", max(PERCENTS), 1, share, len(order))
    first = choose(pairs.division[order], pairs.customer[order], nobody, limits).rows
    return np.concatenate([order[first], np.delete(order, first)])


def captured(case: Case, orders: list[Ints], draws: Floats) -> Floats:
    """(draws, 2, percents): shares of buyers and of gross profit; the first draw is the data."""
    gain = np.maximum(case.profit, 0.0)
    total = np.zeros((len(draws), 2, len(PERCENTS)))
    for order in orders:
        weight = draws[:, case.pairs.customer[order]]
        reached = np.cumsum(weight, axis=1)
        ends = np.array(PERCENTS) / 100 * reached[:, -1:]
        for place, values in enumerate((case.label[order], gain[order])):
            running = np.cumsum(weight * values, axis=1)
            whole = np.maximum(running[:, -1], 1e-12)
            for number in range(len(PERCENTS)):
                # The row that takes the list over its capacity is still on it.
                at = np.minimum((reached < ends[:, [number]]).sum(axis=1), len(order) - 1)
                total[:, place, number] += running[np.arange(len(draws)), at] / whole
    return total / len(orders)


def resampled(past: list[Case]) -> list[Floats]:
    """For each case (1 + DRAWS, customers): how often each is drawn, once each in the first row."""
    people = np.unique(np.concatenate([case.names() for case in past]))
    count = len(people)
    rng = np.random.default_rng(past[0].run.settings.run.seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    draws = np.vstack([np.ones(count), drawn]).astype(np.float64)
    return [draws[:, np.searchsorted(people, case.names())] for case in past]
