"""Where a customer is heading: trends of 12 months, this year against the last, and before now."""

from __future__ import annotations

from functools import reduce
from operator import add

import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, Value, as_float, share
from gosales.features.rfm import within

__all__ = [
    "features",
    "month_means",
    "of_customer_days",
    "of_customer_orders",
    "of_days",
    "of_orders",
]

Aggregates = dict[str, ir.Value]
MONTHS = 12
CENTRE = (MONTHS - 1) / 2
# Sum of squared distances of 0..11 from their centre.
SPREAD = sum((month - CENTRE) ** 2 for month in range(MONTHS))
# Lengths of the windows that end some days before the cutoff.
LAGGED = (3, 12)
MEASURES = (("gp", "currency", "gross profit"), ("tx", "orders", "orders"))


def of_customer_days() -> Aggregates:
    """Over a customer's days: ``gp_month_<m>`` (decimal), m months ago, and as ``of_days``.

    Months hang on the cutoff: month 0 is ``(cutoff - 1 month, cutoff]``.
    """
    months = {f"gp_month_{m}": _in_month(_.gross_profit, m).cast(MONEY) for m in range(MONTHS)}
    return months | of_days("all_")


def of_customer_orders() -> Aggregates:
    """Over a customer's orders: ``tx_month_<m>``, and as ``of_orders``."""
    return {f"tx_month_{m}": _in_month(_.placed, m) for m in range(MONTHS)} | of_orders("all_")


def of_days(prefix: str = "") -> Aggregates:
    """Over days: ``gp_lag_<w>``, of windows that end some days before the cutoff."""
    return {f"{prefix}gp_lag_{w}": _before_lag(_.gross_profit, w).cast(MONEY) for w in LAGGED}


def of_orders(prefix: str = "") -> Aggregates:
    """Over orders, by the day that they were placed: ``tx_lag_<w>``, ``tx_placed_<w>``."""
    lagged = {f"{prefix}tx_lag_{w}": _before_lag(_.placed, w) for w in LAGGED}
    return lagged | {f"{prefix}tx_placed_{w}m": within(_.placed, w) for w in (12, 24)}


def month_means(rows: ir.Table) -> ir.Table:
    """Adds ``gp_month_mean`` and ``tx_month_mean``.

    They stand here, and not in the declarations, so that each is computed once.
    """
    means = {f"{m}_month_mean": _total(_months(m)) / float(MONTHS) for m in ("gp", "tx")}
    return rows.mutate(**means)


def features(lag_days: int) -> list[Feature]:
    """Least-squares slope per month and sample standard deviation (empty months count as 0),
    12 months against the 12 before, and windows that end ``lag_days`` before the cutoff."""
    found = [feature for measure in MEASURES for feature in _trend(*measure)]
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        for measure, unit, what in MEASURES:
            found += _change(scope, prefix, measure, unit, f"{what}{where}")
            found += [
                Feature(
                    "trajectory", scope, f"{measure}_lag{lag_days}d", f"{w}m", unit,
                    f"{what}{where} in the {w} months that ended {lag_days} days before",
                    _[f"{prefix}{measure}_lag_{w}"],
                )
                for w in LAGGED
            ]  # fmt: skip
    return found


def _trend(measure: str, unit: str, what: str) -> list[Feature]:
    months, mean = _months(measure), _[f"{measure}_month_mean"]
    return [
        Feature(
            "trajectory", "all", f"{measure}_slope", "12m", f"{unit} per month",
            f"monthly change of {what} over the last 12 months", _slope(months),
        ),
        Feature(
            "trajectory", "all", f"{measure}_std", "12m", unit,
            f"spread of monthly {what} over the last 12 months", _deviation(months, mean),
        ),
    ]  # fmt: skip


def _change(scope: str, prefix: str, measure: str, unit: str, what: str) -> list[Feature]:
    """This year against the last; orders and money are exact until the division."""
    name = "tx_placed" if measure == "tx" else measure
    year, two = _[f"{prefix}{name}_12m"], _[f"{prefix}{name}_24m"]
    before = two - year
    return [
        Feature(
            "trajectory", scope, f"{measure}_delta", "24m", unit,
            f"{what} of the last 12 months less that of the 12 months before", year - before,
        ),
        Feature(
            "trajectory", scope, f"{measure}_ratio", "24m", "ratio",
            f"{what} of the last 12 months over that of the 12 months before",
            share(year, (before > 0).ifelse(before, None)),
            null_when=f"no {what} above zero in the 12 months before the last 12",
        ),
    ]  # fmt: skip


# All add up in a fixed order, so that every engine and run gives the same bits.


def _months(measure: str) -> list[Value]:
    return [as_float(_[f"{measure}_month_{m}"]) for m in range(MONTHS)]


def _slope(months: list[Value]) -> Value:
    """``months[0]`` is the latest: it lies furthest to the right."""
    return _total([value * (CENTRE - m) for m, value in enumerate(months)]) / SPREAD


def _deviation(months: list[Value], mean: Value) -> Value:
    return (_total([(value - mean) * (value - mean) for value in months]) / (MONTHS - 1.0)).sqrt()


def _total(values: list[Value]) -> Value:
    return reduce(add, values)


def _in_month(value: ir.Value, month: int) -> ir.Value:
    return value.sum(where=_.months_ago == month).fill_null(0)


def _before_lag(value: ir.Value, months: int) -> ir.Value:
    """Days after the lag have no month before it, and so are in no window."""
    return value.sum(where=_.months_before_lag < months).fill_null(0)
