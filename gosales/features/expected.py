"""How many days with an order a customer's past lets expect: a Gamma-Poisson model.

A customer's order days after its first are Poisson with a rate of its own; rates are Gamma
over the customers (A. S. C. Ehrenberg, "Repeat-Buying", 1972). The Gamma is fitted by the
method of moments for rates with unequal exposure (R. J. Marshall, "Mapping disease and
mortality rates using empirical Bayes estimators", Applied Statistics 40, 1991, pp. 283-294),
all from sums: no customer is looked at alone. A customer's expected rate is then
``(shape + order days) / (scale + days)``, the mean of its posterior.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np

from gosales.features.catalog import Feature, Floats
from gosales.features.known import Known

__all__ = ["features"]

YEAR = 365.25


def features() -> list[Feature]:
    """Expected days with an order in a year, in all divisions and in the target."""
    return [
        Feature(
            "lifecycle", scope, "expected_order_days", "12m", "days",
            f"days with an order{where} that a year is expected to bring, from the customer's "
            "rate so far and all customers'",
            derive=partial(_expected, scope),
            null_when=never,
        )
        for scope, where, never in (
            ("all", "", "every customer's first order is on the cutoff"),
            ("div", " in this division", "no order in this division ever"),
        )
    ]  # fmt: skip


def _expected(scope: str, known: Known) -> Floats:
    exposure = known[f"lifecycle__{scope}__tenure_days__life"]
    events = known[f"lifecycle__{scope}__order_days_n__life"] - 1.0
    shape, scale = _fit(exposure, events)
    name = f"lifecycle__{scope}__expected_order_days__12m"
    known.learnt[name] = {"shape": shape, "scale_days": scale}
    if shape is None or scale is None:
        return exposure * np.nan
    expected: Floats = YEAR * (shape + events) / (scale + exposure)
    return expected


def _fit(exposure: Floats, events: Floats) -> tuple[float | None, float | None]:
    """Shape and scale of the Gamma; None without any exposure.

    Rates that differ no more than chance get a narrow Gamma, the rate of all. Sums are of whole
    numbers, hence exact and the same in any order.
    """
    there = ~np.isnan(exposure)
    t, n = exposure[there].astype(np.int64), events[there].astype(np.int64)
    days, orders = int(t.sum()), int(n.sum())
    if days == 0:
        return None, None
    mean = Fraction(orders, days)
    squares = int((n * n).sum()) - 2 * mean * int((n * t).sum()) + mean**2 * int((t * t).sum())
    variance = (squares - orders) / int((t * t).sum())
    if mean == 0:
        return 0.0, float(days)
    least = mean**2 / 10_000
    variance = max(variance, least)
    return float(mean**2 / variance), float(mean / variance)
