"""A to F, from the percentile within the division."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["GRADES", "grade"]

GRADES = ("A", "B", "C", "D", "E", "F")


def grade(percentiles: npt.NDArray[np.float64], least: Sequence[float]) -> list[str]:
    """``least`` holds the least percentile of A, B, C, D and E, falling; below is F.

    >>> grade(np.array([99.0, 80.0, 79.9, 5.0]), [80, 60, 40, 20, 10])
    ['A', 'A', 'B', 'F']
    """
    reached = percentiles[:, None] >= np.array(least, dtype=np.float64)[None, :]
    place = np.where(reached.any(axis=1), reached.argmax(axis=1), len(GRADES) - 1)
    return [GRADES[number] for number in place]
