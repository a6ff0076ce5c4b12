"""Percentiles, and the grades A to F that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["GRADES", "grade", "percentile"]

GRADES = ("A", "B", "C", "D", "E", "F")


def grade(percentiles: npt.NDArray[np.float64], least: Sequence[float]) -> list[str]:
    """``least`` holds the least percentile of A, B, C, D and E, falling; below is F.

    >>> grade(np.array([99.0, 80.0, 79.9, 5.0]), [80, 60, 40, 20, 10])
    ['A', 'A', 'B', 'F']
    """
    reached = percentiles[:, None] >= np.array(least, dtype=np.float64)[None, :]
    place = np.where(reached.any(axis=1), reached.argmax(axis=1), len(GRADES) - 1)
    return [GRADES[number] for number in place]


def percentile(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The share of the other values that lie below, ties half: 0 for the least, 1 for the best."""
    if len(values) < 2:
        return np.ones(len(values))
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    share: npt.NDArray[np.float64] = middle[inverse] / (len(values) - 1)
    return share
