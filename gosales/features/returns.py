"""What comes back: return lines and their rate, in all divisions and in the target."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature, share
from gosales.features.history import History

__all__ = ["customers", "features", "pairs"]

MONTHS = 12


def pairs(history: History) -> ir.Table:
    """Per (cutoff, customer, division) with a line in 12 months: ``lines``, ``returns``."""
    recent = history.days.filter(history.days.months_ago < MONTHS)
    return recent.group_by("cutoff", "customer_id", "division").agg(
        lines=_.lines.sum(), returns=_.returns.sum()
    )


def customers(pair: ir.Table) -> ir.Table:
    """Per (cutoff, customer): ``all_lines``, ``all_returns`` of the last 12 months."""
    return pair.group_by("cutoff", "customer_id").agg(
        all_lines=_.lines.sum(), all_returns=_.returns.sum()
    )


def features() -> list[Feature]:
    """A return is an order line with negative gross profit or quantity."""
    found = []
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        returns, lines = _[f"{prefix}returns"], _[f"{prefix}lines"]
        found += [
            Feature(
                "returns", scope, "n", "12m", "lines",
                f"returned lines{where} in the last 12 months", returns,
            ),
            Feature(
                "returns", scope, "rate", "12m", "share",
                f"share of lines returned{where} in the last 12 months",
                share(returns, lines),
                null_when=f"no order{where} in the last 12 months",
            ),
        ]  # fmt: skip
    return found
