"""Recency, frequency, monetary: in all divisions and in the target division."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, share, span, window_label
from gosales.features.history import History

__all__ = ["customers", "features", "pairs"]


def pairs(history: History, windows: Sequence[int]) -> ir.Table:
    """Per (cutoff, customer, division): ``gp_<w>`` (decimal), ``tx_<w>``, ``recency_days``."""
    keys = ["cutoff", "customer_id", "division"]
    money = history.days.group_by(*keys).agg(
        recency_days=_.days_ago.min(),
        **{
            f"gp_{window_label(w)}": _within(_.gross_profit, w).cast(MONEY)
            for w in (*windows, None)
        },
    )
    counts = history.orders.group_by(*keys).agg(**_order_counts(windows))
    return money.join(counts, keys)


def customers(history: History, pair: ir.Table, windows: Sequence[int]) -> ir.Table:
    """Per (cutoff, customer): ``all_gp_<w>``, ``all_tx_<w>``, ``all_recency_days``."""
    keys = ["cutoff", "customer_id"]
    labels = [window_label(w) for w in (*windows, None)]
    money = pair.group_by(*keys).agg(
        all_recency_days=_.recency_days.min(),
        **{f"all_gp_{w}": _[f"gp_{w}"].sum().cast(MONEY) for w in labels},
    )
    counts = history.customer_orders.group_by(*keys).agg(**_order_counts(windows))
    counts = counts.rename({f"all_tx_{w}": f"tx_{w}" for w in labels})
    return money.join(counts, keys)


def features(windows: Sequence[int]) -> list[Feature]:
    """Orders, gross profit, gross profit per order in each window, and recency."""
    found = []
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        for w in (*windows, None):
            label, when = window_label(w), span(w)
            gp, tx = _[f"{prefix}gp_{label}"], _[f"{prefix}tx_{label}"]
            found += [
                Feature("rfm", scope, "tx_n", label, "orders", f"orders{where} {when}", tx),
                Feature(
                    "rfm", scope, "gp_sum", label, "currency", f"gross profit{where} {when}", gp
                ),
                Feature(
                    "rfm",
                    scope,
                    "gp_mean",
                    label,
                    "currency",
                    f"gross profit per order{where} {when}",
                    share(gp, tx),
                    null_when=f"no order{where} {when}",
                ),
            ]
        found.append(
            Feature(
                "rfm",
                scope,
                "recency_days",
                "life",
                "days",
                f"days since the last order{where}",
                _[f"{prefix}recency_days"],
                null_when=f"no order{where} ever",
            )
        )
    return found


def _order_counts(windows: Sequence[int]) -> dict[str, ir.Value]:
    return {f"tx_{window_label(w)}": _within(_.orders, w) for w in (*windows, None)}


def _within(value: ir.Value, months: int | None) -> ir.Value:
    """The sum over a window, 0 when nothing falls inside."""
    if months is None:
        return value.sum()
    return value.sum(where=_.months_ago < months).fill_null(0)
