"""When in the year a customer orders."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature, share
from gosales.features.history import History

__all__ = ["customers", "features"]

MONTHS = 24


def customers(history: History) -> ir.Table:
    """Per (cutoff, customer) with an order in 24 months: ``q_orders``, ``q<n>_orders``."""
    recent = history.customer_orders.filter(history.customer_orders.months_ago < MONTHS)
    return recent.group_by("cutoff", "customer_id").agg(
        q_orders=_.orders.sum(),
        **{f"q{n}_orders": _.orders.sum(where=_.quarter == n).fill_null(0) for n in (1, 2, 3, 4)},
    )


def features() -> list[Feature]:
    """Share of the last 24 months' orders in each quarter of the calendar; they sum to 1."""
    return [
        Feature(
            "season", "all", f"q{n}_share", "24m", "share",
            f"share of orders placed in quarter {n}",
            share(_[f"q{n}_orders"], _.q_orders),
            null_when="no order in the last 24 months",
        )
        for n in (1, 2, 3, 4)
    ]  # fmt: skip
