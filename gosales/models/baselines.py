"""What a model has to beat: the prevalence, a rule of recency and frequency, a rate of orders.

The rule is one line a sales manager could write: who ordered often in the division, often at
all, and lately. It gets the same chance as a model: its level is fitted on the same rows, and
where no model beats it, it is what ships.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gosales.models.bases import LinearBase
from gosales.models.frame import OWNED_SOURCE, Floats, Singles

__all__ = ["RULE_FEATURES", "expected_rate", "recency_frequency", "rule_base"]

RULE_FEATURES = (
    (OWNED_SOURCE, 1.0),
    ("rfm__div__tx_n__12m", 1.0),
    ("rfm__all__tx_n__12m", 1.0),
    ("rfm__all__recency_days__life", -0.5),
)
# Logs are clipped at CLIP spreads: this spread lets through all that customers can do.
SPREAD = 4.0


def rule_base(names: Sequence[str]) -> tuple[LinearBase, tuple[int, ...]]:
    """The rule as a model of those of its features that there are, and their places."""
    weights = [(names.index(name), weight) for name, weight in RULE_FEATURES if name in names]
    n = len(weights)
    base = LinearBase(
        mean=np.zeros(n),
        spread=np.full(n, SPREAD),
        coef=np.array([weight * SPREAD for _, weight in weights]),
        null_coef=np.zeros(n),
        intercept=0.0,
        c=0.0,
        l1_ratio=0.0,
        pooling="own",
        kind="rule",
    )
    return base, tuple(place for place, _ in weights)


def recency_frequency(x: Singles, names: Sequence[str]) -> Floats:
    """The rule's score: logs of orders in the division and in all, less the log of recency."""
    base, places = rule_base(list(names))
    return base.margin(x[:, list(places)])


# Days with an order that a year is expected to bring, by the Gamma-Poisson model of repeat
# buying: in the division for its owners, in all divisions for the others.
RATES = ("lifecycle__div__expected_order_days__12m", "lifecycle__all__expected_order_days__12m")


def expected_rate(x: Singles, names: Sequence[str]) -> Floats:
    """The log of the expected rate, as a forecaster of repeat buying would rank customers.

    A customer without a known rate stands below all others.
    """
    owned = x[:, list(names).index(OWNED_SOURCE)] > 0
    there = [x[:, list(names).index(name)] if name in names else None for name in RATES]
    div, every = (np.full(len(x), np.nan) if one is None else one for one in there)
    rate = np.where(owned, div, every).astype(np.float64)
    logs: Floats = np.log(np.maximum(np.where(np.isnan(rate), 0.0, rate), 1e-3))
    return logs
