"""The signals of a pair, each between 0 and 1, and their weighted mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["SIGNALS", "percentile", "signals", "whitespace_score"]

Floats = npt.NDArray[np.float64]
# Column of the list -> key of whitespace.weights.
SIGNALS = {"probability_percentile": "probability", "expected_gp_percentile": "expected_gp"}


def percentile(values: Floats) -> Floats:
    """The share of the other values that lie below, ties half: 0 for the least, 1 for the best."""
    if len(values) < 2:
        return np.ones(len(values))
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    share: Floats = middle[inverse] / (len(values) - 1)
    return share


def signals(icp_percentile: Floats, expected_gp: Floats) -> dict[str, Floats]:
    """The probability's percentile within its division, and the worth's over the whole list."""
    return {
        "probability_percentile": icp_percentile / 100,
        "expected_gp_percentile": percentile(expected_gp),
    }


def whitespace_score(found: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The signals' mean, weighted by ``whitespace.weights``; between 0 and 1."""
    total = sum(weights[SIGNALS[name]] for name in found)
    parts = [weights[SIGNALS[name]] / total * values for name, values in found.items()]
    score: Floats = np.add.reduce(parts, axis=0)
    return np.clip(score, 0.0, 1.0)
