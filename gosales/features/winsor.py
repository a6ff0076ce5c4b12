"""Caps on money features: learnt at the cutoff, recorded, applied to that cutoff only."""

from __future__ import annotations

import math

import numpy as np

from gosales.features.catalog import Floats

__all__ = ["learn_cap"]

ROUNDING = 1e-9


def learn_cap(values: Floats, p: float) -> float | None:
    """The greatest value of a money feature that is kept; None where no value is left to learn
    it from. NaN is no value.

    A cap is a value that occurs: the least one at or above the quantile ``p``, so that logs of
    fewer than 1 / (1 - p) customers keep their greatest values. Customers whose value is 0
    do not count: in a division that few buy from, the quantile over all customers would be 0
    and wipe the feature out. A cap is never below 0.
    """
    counted = values[~np.isnan(values) & (values != 0)]
    if not len(counted):
        return None
    place = math.ceil(p * (len(counted) - 1) - ROUNDING)
    return max(float(np.partition(counted, place)[place]), 0.0)
