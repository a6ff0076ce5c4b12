"""How broad a customer buys."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature
from gosales.features.history import History

__all__ = ["customers", "features"]

MONTHS = 12


def customers(history: History, pair: ir.Table) -> ir.Table:
    """Per (cutoff, customer): ``divisions_n`` and ``skus_n`` of the last 12 months."""
    keys = ["cutoff", "customer_id"]
    divisions = pair.group_by(*keys).agg(divisions_n=(_.tx_12m > 0).sum())
    recent = history.skus.filter(history.skus.months_ago < MONTHS)
    skus = recent.group_by(*keys).agg(skus_n=_.skus.sum())
    return divisions.left_join(skus, keys).drop("cutoff_right", "customer_id_right")


def features() -> list[Feature]:
    return [
        Feature(
            "diversity", "all", "divisions_n", "12m", "divisions",
            "divisions ordered from in the last 12 months", _.divisions_n,
        ),
        Feature(
            "diversity", "all", "skus_n", "12m", "products",
            "different products ordered in the last 12 months", _.skus_n,
        ),
    ]  # fmt: skip
