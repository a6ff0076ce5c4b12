"""Shares pulled towards the population's: a customer with one order tells little, one with fifty
a lot.

The strength of the prior is estimated by the method of moments for proportions with extraneous
variance (J. C. Kleinman, "Proportions with extraneous variance: single and independent
samples", JASA 68, 1973, pp. 46-54), each customer weighing by its trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gosales.features.catalog import Floats

__all__ = ["Prior", "learn_prior", "shrunk"]

# Shares enter the estimate in whole millionths: sums of integers are the same in any order.
MICRO = 1_000_000
LIMB = 1 << 16
# Least and greatest overdispersion; they bound the prior's strength to 0.01 .. 9999 trials.
RHO = (Fraction(1, 10_000), Fraction(99, 100))


@dataclass(frozen=True)
class Prior:
    """The population's share, and how many trials it weighs."""

    mean: float
    strength: float


def learn_prior(shares: Floats, trials: Floats) -> Prior:
    """From the customers that have a share (not NaN) and trials; exact arithmetic."""
    there = ~np.isnan(shares) & (trials > 0)
    t = trials[there].astype(np.int64)
    micro = np.floor(shares[there] * MICRO).astype(np.int64)
    n = int(t.sum())
    if n == 0:
        return Prior(0.0, 1.0)
    weighted = t * micro
    # A product of three would not fit into 64 bits on large logs: it is summed in two limbs.
    high, low = np.divmod(weighted, LIMB)
    squares = int((high * micro).sum()) * LIMB + int((low * micro).sum())
    mean = Fraction(int(weighted.sum()), n * MICRO)
    between = Fraction(squares, MICRO * MICRO) - mean * mean * n
    chance = mean * (1 - mean)
    others = len(t) - 1
    extra = n - Fraction(int((t * t).sum()), n) - others
    if chance <= 0 or extra <= 0:
        rho = RHO[1]
    else:
        rho = (between - chance * others) / (chance * extra)
    rho = min(max(rho, RHO[0]), RHO[1])
    return Prior(float(mean), float((1 - rho) / rho))


def shrunk(shares: Floats, trials: Floats, prior: Prior) -> Floats:
    """The mean of the posterior; the population's share where there is none of one's own."""
    there = ~np.isnan(shares)
    own, weight = np.where(there, shares, 0.0), np.where(there, trials, 0.0)
    found: Floats = (weight * own + prior.strength * prior.mean) / (weight + prior.strength)
    return found
