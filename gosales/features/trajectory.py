"""Where a customer is heading: slope and spread of its monthly figures over 12 months."""

from __future__ import annotations

from functools import reduce
from operator import add

import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, Value, as_float
from gosales.features.history import History

__all__ = ["MONTHS", "customers", "features"]

MONTHS = 12
CENTRE = (MONTHS - 1) / 2
# Sum of squared distances of 0..11 from their centre.
SPREAD = sum((month - CENTRE) ** 2 for month in range(MONTHS))


def customers(history: History) -> ir.Table:
    """Per (cutoff, customer): ``gp_month_<m>`` (decimal), ``tx_month_<m>``, m months ago,
    and ``gp_month_mean``, ``tx_month_mean``.

    Months hang on the cutoff: month 0 is ``(cutoff - 1 month, cutoff]``. A customer without
    an order in the 12 months has no row.
    """
    keys = ["cutoff", "customer_id"]
    days = history.days.filter(history.days.months_ago < MONTHS)
    orders = history.customer_orders.filter(history.customer_orders.months_ago < MONTHS)
    money = days.group_by(*keys).agg(
        **{
            f"gp_month_{m}": _.gross_profit.sum(where=_.months_ago == m).fill_null(0).cast(MONEY)
            for m in range(MONTHS)
        }
    )
    counts = orders.group_by(*keys).agg(
        **{
            f"tx_month_{m}": _.orders.sum(where=_.months_ago == m).fill_null(0)
            for m in range(MONTHS)
        }
    )
    rows = money.left_join(counts, keys).drop("cutoff_right", "customer_id_right")
    # Means stand here, and not in the declarations, so that each is computed once.
    return rows.mutate(
        **{
            f"{measure}_month_mean": _total(_months(measure)) / float(MONTHS)
            for measure in ("gp", "tx")
        }
    )


def features() -> list[Feature]:
    """Least-squares slope per month and sample standard deviation; empty months count as 0."""
    found = []
    for measure, unit, what in (
        ("gp", "currency", "gross profit"),
        ("tx", "orders", "orders"),
    ):
        months, mean = _months(measure), _[f"{measure}_month_mean"]
        found += [
            Feature(
                "trajectory", "all", f"{measure}_slope", "12m", f"{unit} per month",
                f"monthly change of {what} over the last 12 months", _slope(months),
            ),
            Feature(
                "trajectory", "all", f"{measure}_std", "12m", unit,
                f"spread of monthly {what} over the last 12 months", _deviation(months, mean),
            ),
        ]  # fmt: skip
    return found


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
