"""What a sales department would do: an RFM score, a small regression."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from .calibrated import calibrated
from .lines import Past
from .split import Split

__all__ = ["HAND_FEATURES", "regression", "rfm"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HAND_FEATURES = (
    "rfm__all__recency_days__life",
    "rfm__all__tx_n__3m",
    "rfm__all__tx_n__12m",
    "rfm__all__gp_sum__12m",
    "lifecycle__all__tenure_days__life",
    "lifecycle__all__active_months__life",
    "diversity__all__divisions_n__12m",
    "diversity__all__skus_n__12m",
    "rfm__div__recency_days__life",
    "rfm__div__tx_n__12m",
    "rfm__div__tx_n__life",
    "rfm__div__gp_sum__12m",
)


def rfm(split: Split) -> dict[str, Floats]:
    """Fifths of recency, frequency and profit, 1 to 5 each, in all and in the division."""
    lines = split.lines

    def scores(day: dt.date) -> Floats:
        known, people, n = lines.until(day), split.people[day], len(split.customers)
        overall = _fifths(known.past(n), people)
        own = [known.of_division(code).past(n) for code in range(len(split.divisions))]
        return np.array([overall + _fifths(past, people) for past in own])

    return calibrated(split, scores)


def _fifths(past: Past, people: Ints) -> Floats:
    """The sum of the three fifths; 0 for those without an order."""
    total = np.zeros(len(people))
    bought = np.flatnonzero(past.last[people] >= 0)
    if len(bought):
        for values in (past.last, past.orders, past.gp):
            rank = rankdata(values[people[bought]]) / len(bought)
            total[bought] += np.ceil(5 * rank)
    return total


def regression(split: Split) -> dict[str, Floats]:
    """Logistic regression on HAND_FEATURES, one a division, for all customers together."""
    found = {}
    for division in split.divisions:
        label = split.stacked(division)[0]
        x, new = split.design(division, HAND_FEATURES)
        if label.min() == label.max():
            found[division] = np.full(len(new), label.mean())
            continue
        x, new = _squashed(x), _squashed(new)
        mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        x, new = (np.nan_to_num((part - mean) / spread) for part in (x, new))
        model = LogisticRegression(C=1.0, max_iter=500).fit(x, label)
        found[division] = model.predict_proba(new)[:, 1]
    return found


def _squashed(x: npt.NDArray[np.float32]) -> Floats:
    """Signed logarithms: money and counts have long tails."""
    squashed: Floats = (np.sign(x) * np.log1p(np.abs(x))).astype(np.float64)
    return squashed
