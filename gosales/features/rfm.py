"""Recency, frequency, monetary: in all divisions and in the target division."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ibis.expr.types as ir
import numpy as np
from ibis import _

from gosales.engine import MONEY
from gosales.features.calendar import HALF_LIVES, MICRO
from gosales.features.catalog import Feature, Value, as_float, share, span, window_label

__all__ = ["features", "of_days", "of_orders", "within"]

Aggregates = dict[str, ir.Value]
# What a decayed sum is worth.
DECAYED: dict[str, Callable[[Value], Value]] = {
    "tx": lambda micro: as_float(micro) / float(MICRO),
    "gp": lambda money: money.cast(MONEY),
}


def of_days(windows: Sequence[int], prefix: str = "") -> Aggregates:
    """Over days: ``gp_<w>`` (decimal), ``lines_<w>``, ``recency_days``, ``gp_decay_<h>``."""
    found: Aggregates = {f"{prefix}recency_days": _.days_ago.min()}
    for w in (*windows, None):
        found[f"{prefix}gp_{window_label(w)}"] = within(_.gross_profit, w).cast(MONEY)
        found[f"{prefix}lines_{window_label(w)}"] = within(_.lines, w)
    for h in HALF_LIVES:
        weighted = _.gross_profit.cast("decimal(20, 6)") * _[f"decay_{h}"]
        found[f"{prefix}gp_decay_{h}"] = weighted.sum().cast("decimal(38, 12)")
    return found


def of_orders(windows: Sequence[int], prefix: str = "") -> Aggregates:
    """Over orders: ``tx_<w>`` and ``tx_decay_<half-life>``, in millionths of an order."""
    found = {f"{prefix}tx_{window_label(w)}": within(_.orders, w) for w in (*windows, None)}
    for h in HALF_LIVES:
        weighted = _.orders.cast("int64") * _[f"micro_{h}"]
        found[f"{prefix}tx_decay_{h}"] = weighted.sum().cast("int64")
    return found


def features(windows: Sequence[int]) -> list[Feature]:
    """Orders, lines, gross profit, gross profit per order in each window; recency; decay."""
    found = []
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        for w in (*windows, None):
            found += _of_window(scope, prefix, where, w)
        found += _recency(scope, prefix, where)
        found += [
            Feature(
                "rfm", scope, f"{measure}_decay{h}d", "life", unit,
                f"{what}{where} ever, each halved for every {h} days since",
                DECAYED[measure](_[f"{prefix}{measure}_decay_{h}"]),
            )
            for measure, unit, what in (
                ("tx", "orders", "orders"),
                ("gp", "currency", "gross profit"),
            )
            for h in HALF_LIVES
        ]  # fmt: skip
    return found


def _of_window(scope: str, prefix: str, where: str, w: int | None) -> list[Feature]:
    label, when = window_label(w), f"{where} {span(w)}"
    gp, tx = _[f"{prefix}gp_{label}"], _[f"{prefix}tx_{label}"]
    return [
        Feature("rfm", scope, "tx_n", label, "orders", f"orders{when}", tx),
        Feature("rfm", scope, "gp_sum", label, "currency", f"gross profit{when}", gp),
        Feature(
            "rfm", scope, "gp_mean", label, "currency", f"gross profit per order{when}",
            share(gp, tx),
            null_when=f"no order{when}",
        ),
        Feature(
            "rfm", scope, "lines_n", label, "lines", f"order lines{when}",
            _[f"{prefix}lines_{label}"],
        ),
    ]  # fmt: skip


def _recency(scope: str, prefix: str, where: str) -> list[Feature]:
    never = f"no order{where} ever"
    days = Feature(
        "rfm", scope, "recency_days", "life", "days", f"days since the last order{where}",
        _[f"{prefix}recency_days"],
        null_when=never,
    )  # fmt: skip
    log = Feature(
        "rfm", scope, "recency_log", "life", "log days",
        f"natural logarithm of 1 + days since the last order{where}",
        derive=lambda known: np.log1p(known[days.name]),
        null_when=never,
    )  # fmt: skip
    return [days, log]


def within(value: ir.Value, months: int | None) -> ir.Value:
    """The sum over a window, 0 when nothing falls inside."""
    if months is None:
        return value.sum()
    return value.sum(where=_.months_ago < months).fill_null(0)
