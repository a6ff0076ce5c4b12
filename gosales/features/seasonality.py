"""When in the year a customer orders."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature, share

__all__ = ["features", "of_orders"]

Aggregates = dict[str, ir.Value]
MONTHS = 24
QUARTERS = (1, 2, 3, 4)


def of_orders(ahead_months: int, prefix: str = "") -> Aggregates:
    """Over orders: those of 24 months, those of each quarter, and those ahead.

    ``ahead`` are the orders of the same months one and two years ago that a label window of
    ``ahead_months`` covers: of two windows of 12 months, the oldest ``ahead_months`` each.
    """
    recent = _.months_ago < MONTHS
    ahead = recent & (_.months_ago % 12 >= 12 - ahead_months)
    found = {
        f"{prefix}season_orders": _orders(recent),
        f"{prefix}season_ahead": _orders(ahead),
    }
    if prefix:
        found |= {f"{prefix}season_q{n}": _orders(recent & (_.quarter == n)) for n in QUARTERS}
    return found


def features() -> list[Feature]:
    """Shares of the last 24 months' orders: in each quarter of the calendar (they sum to 1),
    and in the months of the year that the label window covers."""
    found = [
        Feature(
            "season", "all", f"q{n}_share", "24m", "share",
            f"share of orders placed in quarter {n}",
            share(_[f"all_season_q{n}"], _.all_season_orders),
            null_when="no order in the last 24 months",
        )
        for n in QUARTERS
    ]  # fmt: skip
    found += [
        Feature(
            "season", scope, "ahead_share", "24m", "share",
            f"share of orders{where} placed in the months of the year that lie ahead",
            share(_[f"{prefix}season_ahead"], _[f"{prefix}season_orders"]),
            null_when=f"no order{where} in the last 24 months",
        )
        for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division"))
    ]  # fmt: skip
    return found


def _orders(where: ir.BooleanValue) -> ir.Value:
    return _.orders.sum(where=where).fill_null(0)
