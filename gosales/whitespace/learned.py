"""Weights that would have served best at earlier cutoffs (``whitespace.weights: learned``).

The model is small on purpose: of all weights in steps of a tenth it takes those whose lists
captured most at 5, 10 and 20 % of the pairs, half counting buyers and half gross profit, on
average over the earlier cutoffs. Scores there come from models of windows closed by then, and
outcomes from windows that had closed by the list's cutoff.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gosales.errors import NothingToDo
from gosales.etl.star import open_star
from gosales.run import Run
from gosales.whitespace.backtest import backtest_scores, earlier_cutoffs
from gosales.whitespace.capacity import share_count
from gosales.whitespace.capture import realised
from gosales.whitespace.eligibility import eligible_pairs
from gosales.whitespace.ranking import Pairs, open_pairs
from gosales.whitespace.signals import SIGNALS

__all__ = ["Learned", "fit_weights", "learned_weights"]

Floats = npt.NDArray[np.float64]
CUTOFFS = 2
STEPS = 10
PERCENTS = (5.0, 10.0, 20.0)
# Weights need not be told from more pairs than this; the first ones of a seeded shuffle are used.
SAMPLE = 100_000


@dataclass(frozen=True)
class Learned:
    """The weights and the cutoffs they were learnt at."""

    weights: dict[str, float]
    cutoffs: tuple[dt.date, ...]


def learned_weights(run: Run, cutoff: dt.date) -> Learned:
    """Raises NothingToDo when no earlier window can teach anything."""
    past: list[tuple[Pairs, Floats, Floats]] = []
    days: list[dt.date] = []
    for day in earlier_cutoffs(run, cutoff, CUTOFFS):
        try:
            scores = run.engine.read_parquet(backtest_scores(run, day))
        except NothingToDo:
            continue
        eligible = eligible_pairs(run, scores, open_star(run), day, lists=False).pairs
        eligible = eligible.sort_by([("customer_id", "ascending"), ("division_name", "ascending")])
        pairs = _sampled(run, open_pairs(run, eligible, day))
        label, profit = realised(run, pairs.table, day)
        if label.sum():
            past.append((pairs, label, np.maximum(profit, 0.0)))
            days.append(day)
    if not past:
        raise NothingToDo(
            f"whitespace.weights: learned: no list made before {cutoff} has an outcome by then.",
            "Set the weights, or use a longer log or a shorter label window.",
        )
    return Learned(fit_weights(past), tuple(days))


def fit_weights(past: list[tuple[Pairs, Floats, Floats]]) -> dict[str, float]:
    """The best weights for past pairs with their labels and profits; of equals the first.

    A signal that some cutoff does not know gets no weight.
    """
    known = [n for n in SIGNALS if all(pairs.signals.coverage[n] > 0 for pairs, *_ in past)]
    best, found = -1.0, dict.fromkeys(SIGNALS, 0.0)
    for parts in itertools.product(range(STEPS, -1, -1), repeat=len(known)):
        if sum(parts) != STEPS:
            continue
        weights = {name: part / STEPS for name, part in zip(known, parts, strict=True)}
        gain = float(np.mean([_captured(*one, weights) for one in past]))
        if gain > best + 1e-12:
            best, found = gain, dict.fromkeys(SIGNALS, 0.0) | weights
    return found


def _captured(pairs: Pairs, label: Floats, profit: Floats, weights: dict[str, float]) -> float:
    order = pairs.order(pairs.signals.score(weights))
    gains = []
    for values in (label, profit):
        total = float(np.add.reduce(values))
        running = np.cumsum(values[order])
        rows = [share_count(len(order), percent) - 1 for percent in PERCENTS]
        gains.append(float(np.mean(running[rows])) / total if total else 0.0)
    return sum(gains) / len(gains)


def _sampled(run: Run, pairs: Pairs) -> Pairs:
    total = pairs.table.num_rows
    if total <= SAMPLE:
        return pairs
    rows = np.sort(np.random.default_rng(run.settings.run.seed).permutation(total)[:SAMPLE])
    values = {name: value[rows] for name, value in pairs.signals.values.items()}
    return replace(
        pairs,
        table=pairs.table.take(rows),
        division=pairs.division[rows],
        customer=pairs.customer[rows],
        worth=pairs.worth[rows],
        odds=pairs.odds[rows],
        signals=replace(pairs.signals, values=values),
    )
