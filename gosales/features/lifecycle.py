"""Where a customer stands in its life: tenure, rhythm of its orders, and what is due."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, as_float, share

__all__ = ["cycles", "features", "of_customer_days", "of_days"]

Aggregates = dict[str, ir.Value]
DAYS_A_MONTH = 365.25 / 12
# More days than any gap has.
LONGEST = 1_000_000
ONE_DAY = "orders on fewer than two days"


def of_days(prefix: str = "") -> Aggregates:
    """Over days: first and last day, days and months with an order, gaps between days."""
    gap = _.gap_days
    # The gap of the latest day, which is the least far ago; null when that is also the first.
    latest = (_.days_ago.cast("int64") * LONGEST + gap).min() % LONGEST
    return {
        f"{prefix}tenure_days": _.days_ago.max(),
        f"{prefix}tenure_months": _.months_ago.max(),
        f"{prefix}last_days_ago": _.days_ago.min(),
        f"{prefix}order_days": _.count().cast("int64"),
        f"{prefix}active_months": _.opens_month.sum(),
        f"{prefix}gap_last": latest,
        f"{prefix}gap_median": gap.median(),
        f"{prefix}gap_sum": gap.sum().cast("int64"),
        f"{prefix}gap_squares": (gap.cast("int64") * gap.cast("int64")).sum().cast("int64"),
    }


def of_customer_days() -> Aggregates:
    """As ``of_days``, ``all_...``, and ``first_gp``, the gross profit of the first day."""
    first = _.gross_profit.sum(where=_.gap_days.isnull())
    return of_days("all_") | {"first_gp": first.cast(MONEY)}


def cycles(days: ir.Table) -> ir.Table:
    """Per (cutoff, division): ``cycle_days``, the median gap of all customers that came back."""
    return days.group_by("cutoff", "division").agg(cycle_days=_.gap_days.median())


def features() -> list[Feature]:
    """Gaps are between consecutive days with an order, so their mean is span / (days - 1)."""
    found = [
        Feature(
            "lifecycle", "all", "first_gp", "life", "currency",
            "gross profit of the first day with an order", _.first_gp,
        )
    ]  # fmt: skip
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        found += _life(scope, prefix, where)
        found += _gaps(scope, prefix, where)
    return found + _renewal()


def _life(scope: str, prefix: str, where: str) -> list[Feature]:
    never = f"no order{where} ever" if where else ""
    return [
        Feature(
            "lifecycle", scope, "tenure_days", "life", "days",
            f"days since the first order{where}", _[f"{prefix}tenure_days"],
            null_when=never,
        ),
        Feature(
            "lifecycle", scope, "active_months", "life", "months",
            f"calendar months with an order{where}", _[f"{prefix}active_months"],
        ),
        Feature(
            "lifecycle", scope, "order_days_n", "life", "days",
            f"days with an order{where}", _[f"{prefix}order_days"],
        ),
    ]  # fmt: skip


def _gaps(scope: str, prefix: str, where: str) -> list[Feature]:
    tenure, last = _[f"{prefix}tenure_days"], _[f"{prefix}last_days_ago"]
    gaps, median = _[f"{prefix}order_days"] - 1, _[f"{prefix}gap_median"]
    measures = [
        ("gap_days_mean", "days", "usual days between orders", share(tenure - last, gaps)),
        ("gap_days_median", "days", "median of the days between orders", median),
        ("gap_days_last", "days", "days between the last two orders", _[f"{prefix}gap_last"]),
        ("overdue_ratio", "ratio", "days since the last order over the usual days between orders",
         share(last, median)),
    ]  # fmt: skip
    found = [
        Feature(
            "lifecycle", scope, measure, "life", unit, f"{what}{where}", value,
            null_when=f"{ONE_DAY}{where}",
        )
        for measure, unit, what, value in measures
    ]  # fmt: skip
    total, squares = _[f"{prefix}gap_sum"], _[f"{prefix}gap_squares"]
    # Whole numbers until the division: exact, whatever engine adds them up.
    spread = as_float(gaps * squares - total * total) / as_float(gaps * (gaps - 1)).nullif(0.0)
    found.append(
        Feature(
            "lifecycle", scope, "gap_days_std", "life", "days",
            f"spread of the days between orders{where}",
            (gaps > 1).ifelse(spread.sqrt(), None),
            null_when=f"orders on fewer than three days{where}",
        )
    )  # fmt: skip
    return found


def _renewal() -> list[Feature]:
    """How far the target's usual cycle has gone since the last order in it."""
    since, cycle = as_float(_.last_days_ago), as_float(_.cycle_days)
    rest = since - (since / cycle).floor() * cycle
    never = "no order in this division ever, or no customer that came back to it"
    return [
        Feature(
            "lifecycle", "div", "renewal_phase", "life", "months",
            "months since the last order in this division, modulo its usual cycle",
            rest / ibis.literal(DAYS_A_MONTH),
            null_when=never,
        ),
        Feature(
            "lifecycle", "div", "cycle_ratio", "life", "ratio",
            "days since the last order in this division over its usual cycle",
            since / cycle,
            null_when=never,
        ),
    ]  # fmt: skip
