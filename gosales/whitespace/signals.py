"""The signals of a pair, each between 0 and 1, and their weighted mean.

``pooled``, a signal is a value on one logarithmic scale for all eligible pairs: 1 for the
greatest, 0.1 less for half of it, 0 for a thousandth. So a weighted mean ranks as a product of
powers does, and a division that sells seldom or cheaply stands below one that does not.
``percentile`` is the standing within the division: each division's best stand level.

Worth counts twice, since its two parts cost differently. That a division sells dearer than
another lifts pairs with lower odds; that a customer buys for more than others do lifts those who
are likely buyers anyway. ``relative_worth`` is the second part alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gosales.scoring import percentile
from gosales.settings import WhitespaceWeights

__all__ = [
    "SIGNALS",
    "Signals",
    "Weights",
    "capped_worth",
    "effective_weights",
    "relative_worth",
    "signals",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SIGNALS = tuple(WhitespaceWeights.model_fields)
WORTH_CAP = 0.95
# The share of the greatest value at which a pooled signal is nothing.
LEAST_SHARE = 0.001


@dataclass(frozen=True)
class Signals:
    """(pairs,) arrays by signal name, NaN where a pair has no value; and the shares known.

    ``worth``: what was made of a pair's worth on the way, before it was normalised.
    """

    values: Mapping[str, Floats]
    coverage: Mapping[str, float]
    worth: Mapping[str, Floats]

    def score(self, weights: Mapping[str, float]) -> Floats:
        """The weighted mean of what is known of a pair; 0 to 1.

        A pair without a signal is judged on its others, one without any gets 0.
        """
        names = [name for name in SIGNALS if weights.get(name, 0.0) > 0]
        total = np.zeros(len(self.values[SIGNALS[0]]))
        weight = np.zeros_like(total)
        for name in names:
            known = ~np.isnan(self.values[name])
            total += weights[name] * np.where(known, self.values[name], 0.0)
            weight += weights[name] * known
        score: Floats = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
        return score


@dataclass(frozen=True)
class Weights:
    """What was asked, what is used (sums to 1), and a line for each signal that lost weight."""

    asked: Mapping[str, float]
    used: Mapping[str, float]
    notes: tuple[str, ...]


def capped_worth(worth: Floats, division: Ints) -> Floats:
    """Expected gross profit, at most the 95th percentile of its division's pairs."""
    capped = worth.copy()
    for rows in rows_of(division):
        capped[rows] = np.minimum(worth[rows], np.quantile(worth[rows], WORTH_CAP))
    return capped


def relative_worth(probability: Floats, worth: Floats, division: Ints) -> Floats:
    """What a purchase by the customer is worth, beside a typical one of its division.

    Capped at the 95th percentile of the division's pairs and over their geometric mean; NaN
    where there is no probability of one.
    """
    ratio, known = np.full(len(worth), np.nan), probability > 0
    ratio[known] = capped_worth(worth[known] / probability[known], division[known])
    for rows in rows_of(division):
        above = ratio[rows][ratio[rows] > 0]
        if len(above):
            ratio[rows] /= np.exp(np.log(above).mean())
    return ratio


def signals(
    probability: Floats,
    worth: Floats,
    lift_max: Floats,
    lift_mean: Floats,
    similarity: Floats,
    division: Ints,
    normalize: str,
) -> Signals:
    """Values of the pairs (NaN: unknown) to signals; ``worth``, the expected gross profit, is
    capped per division here.

    ``division`` numbers the pairs' divisions. Affinity is the mean of two: the greatest and the
    mean lift over what the customer owns.
    """
    made = {
        "expected_gp_capped": capped_worth(worth, division),
        "relative_worth": relative_worth(probability, worth, division),
    }
    values = {
        "probability": _normal(probability, division, normalize),
        "expected_gp": _normal(made["expected_gp_capped"], division, normalize),
        "affinity": (
            _normal(lift_max, division, normalize) + _normal(lift_mean, division, normalize)
        )
        / 2,
        "similarity": _normal(similarity, division, normalize),
        "relative_worth": _normal(made["relative_worth"], division, normalize),
    }
    coverage = {
        name: float(1 - np.isnan(value).mean()) if len(value) else 0.0
        for name, value in values.items()
    }
    return Signals(values, coverage, made)


def effective_weights(
    asked: Mapping[str, float], coverage: Mapping[str, float], min_coverage: float
) -> Weights:
    """A signal known for less than ``min_coverage`` of the pairs loses weight in proportion.

    One that is known for none has no weight. When nothing is left, probability has it all.
    """
    kept: dict[str, float] = {}
    notes = []
    for name in SIGNALS:
        wanted, known = asked.get(name, 0.0), coverage.get(name, 0.0)
        factor = min(1.0, known / min_coverage) if min_coverage else float(known > 0)
        kept[name] = wanted * factor
        if wanted and factor < 1:
            notes.append(
                f"The signal '{name}' is known for {known:.0%} of the pairs: its weight falls "
                f"from {wanted:g} to {kept[name]:.3g}."
            )
    total = sum(kept.values())
    if not total:
        notes.append("No weighted signal is known of any pair: the probability ranks alone.")
        kept, total = dict.fromkeys(SIGNALS, 0.0) | {"probability": 1.0}, 1.0
    used = {name: value / total for name, value in kept.items()}
    return Weights(dict(asked), used, tuple(notes))


def rows_of(division: Ints) -> list[Ints]:
    """The row numbers of each division, in the order of the divisions' numbers."""
    order = np.argsort(division, kind="stable")
    borders = np.flatnonzero(np.diff(division[order])) + 1
    return [rows for rows in np.split(order, borders) if len(rows)]


def _normal(values: Floats, division: Ints, normalize: str) -> Floats:
    """The known values between 0 and 1; NaN stays NaN."""
    if normalize == "pooled":
        return _log_scaled(values)
    result = np.full(len(values), np.nan)
    for rows in rows_of(division):
        known = rows[~np.isnan(values[rows])]
        result[known] = percentile(values[known])
    return result


def _log_scaled(values: Floats) -> Floats:
    result = np.where(np.isnan(values), np.nan, 0.0)
    above = values > 0  # not of a NaN
    if above.any():
        shares = values[above] / values[above].max()
        result[above] = 1.0 - np.log(np.maximum(shares, LEAST_SHARE)) / np.log(LEAST_SHARE)
    return result
