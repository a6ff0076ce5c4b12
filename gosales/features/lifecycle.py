"""Where a customer stands in its life: tenure, active months, gaps between order days."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature, share
from gosales.features.history import History

__all__ = ["customers", "features"]


def customers(history: History) -> ir.Table:
    """Per (cutoff, customer): first and last day, active days and months, the last gap."""
    return history.active_days.group_by("cutoff", "customer_id").agg(
        tenure_days=_.days_ago.max(),
        last_days_ago=_.days_ago.min(),
        active_days=_.count(),
        active_months=_.opens_month.sum(),
        # The gap of the latest day; null when that is also the first.
        gap_days_last=_.gap_days.argmin(_.days_ago),
    )


def features() -> list[Feature]:
    """Gaps are between consecutive days with an order, so their mean is span / (days - 1)."""
    one_day = "orders on fewer than two days"
    return [
        Feature(
            "lifecycle", "all", "tenure_days", "life", "days",
            "days since the first order", _.tenure_days,
        ),
        Feature(
            "lifecycle", "all", "active_months", "life", "months",
            "calendar months with an order", _.active_months,
        ),
        Feature(
            "lifecycle", "all", "gap_days_mean", "life", "days",
            "usual days between orders",
            share(_.tenure_days - _.last_days_ago, _.active_days - 1),
            null_when=one_day,
        ),
        Feature(
            "lifecycle", "all", "gap_days_last", "life", "days",
            "days between the last two orders", _.gap_days_last,
            null_when=one_day,
        ),
    ]  # fmt: skip
