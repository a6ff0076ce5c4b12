"""Who may be on the list: pairs of customer and division that were never bought, per the star."""

from __future__ import annotations

import datetime as dt

import ibis.expr.types as ir
from ibis import _

from gosales.etl.star import Star

__all__ = ["eligible", "owned_pairs"]


def owned_pairs(star: Star, cutoff: dt.date) -> ir.Table:
    """(customer_id, division_name) with any order line at or before the cutoff, once each."""
    lines = star.transactions
    return (
        lines.filter(lines.order_date <= cutoff)
        .select("customer_id", division_name=lines.product_division)
        .distinct()
    )


def eligible(scores: ir.Table, star: Star, cutoff: dt.date) -> ir.Table:
    """The scored pairs that were never bought at or before the cutoff."""
    owned = owned_pairs(star, cutoff).mutate(bought=True)
    joined = scores.left_join(owned, ["customer_id", "division_name"])
    never = joined.filter(joined.bought.isnull())
    return never.select(*[_[name] for name in scores.columns])
