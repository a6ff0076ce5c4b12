"""A score becomes a probability by Platt's method, owners and never-owners apart.

Fitted on the newest training cutoffs, where the score is made from what was known then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from .split import Split

__all__ = ["Scorer", "calibrated"]

Floats = npt.NDArray[np.float64]
# (cutoff) -> scores (divisions, customers known at the cutoff)
Scorer = Callable[[dt.date], Floats]
NEWEST = 4


def calibrated(split: Split, scorer: Scorer) -> dict[str, Floats]:
    """Probabilities at the test cutoff by division."""
    days = split.days[-NEWEST:]
    past = {day: scorer(day) for day in days}
    now = scorer(split.test)
    found = {}
    for place, division in enumerate(split.divisions):
        sold = [day for day in days if day in split.sold(division)] or list(days)
        score = np.concatenate([past[day][place] for day in sold])
        label = np.concatenate([split.answers[division, day].label for day in sold])
        owned = np.concatenate([split.answers[division, day].owned for day in sold])
        here = split.answers[division, split.test].owned
        p = np.empty(len(here))
        for own in (False, True):
            rows = here == own
            p[rows] = _platt(score[owned == own], label[owned == own], now[place][rows])
        found[division] = p
    return found


def _platt(score: Floats, label: Floats, new: Floats) -> Floats:
    if len(label) == 0 or label.min() == label.max() or np.ptp(score) == 0:
        return np.full(len(new), label.mean() if len(label) else 0.0)
    if not len(new):
        return new
    mean, spread = score.mean(), score.std()
    model = LogisticRegression(C=10.0).fit(((score - mean) / spread)[:, None], label)
    p: Floats = model.predict_proba(((new - mean) / spread)[:, None])[:, 1]
    return p
