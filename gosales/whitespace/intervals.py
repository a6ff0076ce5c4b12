"""95 % intervals of rates, differences of rates and differences of means; false discoveries.

Sources: Wilson (1927) for a rate; Newcombe (1998), method 10, for the difference of two
independent rates; Welch (1947) for the difference of two means; Benjamini and Hochberg (1995).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["false_discovery", "mean_difference", "rate_difference", "wilson"]

Floats = npt.NDArray[np.float64]
Z = 1.959963984540054


def wilson(positives: Floats, total: Floats) -> tuple[Floats, Floats]:
    """(low, high) of the rates positives / total; (0, 1) where the total is 0."""
    n = np.maximum(total, 1.0)
    rate = positives / n
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    empty = total == 0
    low = np.where(empty, 0.0, np.clip(middle - half, 0.0, rate))
    high = np.where(empty, 1.0, np.clip(middle + half, rate, 1.0))
    return low, high


def rate_difference(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float, float]:
    """x1/n1 - x2/n2 with its interval; both totals are at least 1."""
    (l1, l2), (u1, u2) = (
        bound.tolist() for bound in wilson(np.array([x1, x2], float), np.array([n1, n2], float))
    )
    p1, p2 = x1 / n1, x2 / n2
    low = (p1 - p2) - math.hypot(p1 - l1, u2 - p2)
    high = (p1 - p2) + math.hypot(u1 - p1, p2 - l2)
    return p1 - p2, low, high


def mean_difference(first: Floats, second: Floats) -> tuple[float, float | None, float | None]:
    """mean(first) - mean(second) with its interval; without one when a group has one value."""
    from scipy import stats

    difference = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return difference, None, None
    parts = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    spread = float(np.sqrt(parts.sum()))
    if not spread:
        return difference, difference, difference
    freedom = parts.sum() ** 2 / (
        parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(second) - 1)
    )
    half = float(stats.t.ppf(0.975, freedom)) * spread
    return difference, difference - half, difference + half


def false_discovery(p_values: Floats) -> Floats:
    """q-values: the least false discovery rate at which each test would be called."""
    n = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
