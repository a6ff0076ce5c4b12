"""What a purchase is worth: the second part of probability times value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gosales.models.fitting import Fitter
from gosales.models.frame import Floats, Frame
from gosales.models.slices import JOINT, Slice

__all__ = ["fit_value"]

# The division's mean weighs as much as this many purchases of the cohort's own.
PRIOR_PURCHASES = 20.0


def fit_value(fitter: Fitter, cohort: str, within: Slice) -> float:
    """The mean net gross profit of a purchase by the cohort, shrunk to that of the division.

    Worths are capped at ``modeling.value_cap_quantile`` first. A division without a purchase
    takes the mean of all divisions.
    """
    cap = fitter.pool.settings.value_cap_quantile
    own = _worths([fitter.frame], cohort, within, cap)
    overall = _worths([fitter.frame], JOINT, within, cap)
    if not len(overall):
        overall = _worths(fitter.pool.frames, JOINT, within, cap)
    total = own.sum() + PRIOR_PURCHASES * overall.mean()
    return float(total / (len(own) + PRIOR_PURCHASES))


def _worths(frames: Sequence[Frame], cohort: str, within: Slice, cap: float) -> Floats:
    found = []
    for frame in frames:
        rows = within.rows(frame, cohort)
        found.append(frame.gp[rows][frame.label[rows] > 0])
    worth = np.concatenate(found)
    if not len(worth):
        return worth
    capped: Floats = np.minimum(worth, np.quantile(worth, cap))
    return capped
