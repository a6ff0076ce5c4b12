"""The wall: the only door from the star to anything that is learnt.

The star is first reduced to small ledgers, none of which knows a cutoff. ``History`` then
joins each with the calendar, which has a row for each cutoff and each day at or before it:
what is later than a cutoff has no partner and is gone. A family gets a History and nothing
else, so it cannot see beyond a cutoff.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from gosales.engine import MONEY, Engine
from gosales.etl.star import Star
from gosales.months import feature_start

__all__ = ["History", "calendar", "open_history"]

CALENDAR = pa.schema(
    {
        "cutoff": pa.date32(),
        "order_date": pa.date32(),
        "days_ago": pa.int32(),
        "months_ago": pa.int32(),
        "quarter": pa.int32(),
    }
)


@dataclass(frozen=True)
class History:
    """All that was known at each cutoff; every table's rows are at or before their cutoff.

    Each row has ``cutoff``, ``customer_id``, ``days_ago`` (0 on the cutoff), ``months_ago``
    (0 in the month that ends on the cutoff; a window of N months is ``months_ago < N``) and
    ``quarter`` (of the calendar, 1 to 4).

    ``days``: a row per (customer, division, day): ``gross_profit`` (decimal), ``lines``,
    ``returns`` (lines that are returns). ``orders``: ``orders`` per (customer, division, day);
    an order over several days counts on the latest that the cutoff knows. ``customer_orders``:
    the same per (customer, day), an order over several divisions counts once.
    ``active_days``: a row per (customer, day): ``gap_days`` since the day of the order before
    (null for the first) and ``opens_month`` (1 for the customer's first day in a calendar
    month). ``skus``: ``skus`` last bought on that day, as far as the cutoff knows.
    ``purchases``: a row per (customer, division, ``product_sku``, day) on which it was bought,
    returns apart; not computed unless it is used.
    """

    days: ir.Table
    orders: ir.Table
    customer_orders: ir.Table
    active_days: ir.Table
    skus: ir.Table
    purchases: ir.Table


def open_history(star: Star, engine: Engine, cutoffs: Sequence[dt.date]) -> History:
    """The star's history at each of the cutoffs."""
    facts = star.transactions
    facts = facts.filter(facts.order_date <= ibis.literal(max(cutoffs))).select(
        "customer_id",
        "order_date",
        "product_sku",
        "gross_profit",
        "is_return",
        division="product_division",
        # The order: its invoice, or the day where there is none.
        order_key=ibis.coalesce("i" + facts.invoice_id, "d" + facts.order_date.cast("string")),
    )
    days = engine.cache(
        facts.group_by("customer_id", "division", "order_date").agg(
            gross_profit=_.gross_profit.sum().cast(MONEY),
            lines=_.count().cast("int64"),
            returns=_.is_return.sum().cast("int64"),
        )
    )
    orders = _latest(facts, ["customer_id", "division"], "order_key", "orders")
    customer_orders = _latest(facts, ["customer_id"], "order_key", "orders")
    skus = _latest(facts, ["customer_id"], "product_sku", "skus")
    known = engine.from_arrow(calendar(cutoffs, star.about.first_order, star.about.last_order))
    return History(
        days=_cut(days, known),
        orders=_cut_latest(engine.cache(orders), known),
        customer_orders=_cut_latest(engine.cache(customer_orders), known),
        active_days=_cut(engine.cache(_active_days(days)), known),
        skus=_cut_latest(engine.cache(skus), known),
        purchases=_cut(_purchases(facts), known),
    )


def calendar(cutoffs: Sequence[dt.date], first: dt.date, last: dt.date) -> pa.Table:
    """One row per cutoff and day from ``first`` to the cutoff (at most ``last``)."""
    rows = []
    for cutoff in sorted(cutoffs):
        months_ago, opens = 0, feature_start(cutoff, 1)
        for day_number in range(min(cutoff, last).toordinal(), first.toordinal() - 1, -1):
            day = dt.date.fromordinal(day_number)
            while day < opens:
                months_ago += 1
                opens = feature_start(cutoff, months_ago + 1)
            quarter = (day.month + 2) // 3
            rows.append((cutoff, day, cutoff.toordinal() - day_number, months_ago, quarter))
    columns = list(zip(*rows, strict=True))
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, CALENDAR, strict=True)],
        schema=CALENDAR,
    )


def _latest(facts: ir.Table, owner: list[str], thing: str, count: str) -> ir.Table:
    """How many things (orders, SKUs) an owner last touched on a day, and until when that holds.

    Returns (owner, ``order_date``, ``superseded_on``, ``count``): a thing of several days has a
    row for each, superseded by the next. At a cutoff, the row of a thing that counts is the one
    that is at or before it and not superseded by then; ``_cut_latest`` keeps just those.
    """
    seen = facts.select(*owner, thing, "order_date").distinct()
    later = ibis.window(group_by=[*owner, thing], order_by="order_date")
    seen = seen.mutate(superseded_on=seen.order_date.lead().over(later))
    return seen.group_by(*owner, "order_date", "superseded_on").agg(
        **{count: _.count().cast("int64")}
    )


def _purchases(facts: ir.Table) -> ir.Table:
    sales = facts.filter(~facts.is_return)
    return sales.select("customer_id", "division", "product_sku", "order_date").distinct()


def _active_days(days: ir.Table) -> ir.Table:
    """(customer, day) with the gap to the day before; looks back only."""
    active = days.select("customer_id", "order_date").distinct()
    before = active.order_date.lag().over(
        ibis.window(group_by="customer_id", order_by="order_date")
    )
    active = active.mutate(before=before)
    same_month = (active.order_date.truncate("M") == active.before.truncate("M")).fill_null(False)
    return active.select(
        "customer_id",
        "order_date",
        gap_days=active.order_date.delta(active.before, unit="day").cast("int32"),
        opens_month=(~same_month).cast("int32"),
    )


def _cut(ledger: ir.Table, known: ir.Table) -> ir.Table:
    """The wall itself: a row lives on at the cutoffs whose calendar has its day."""
    return ledger.join(known, "order_date").drop("order_date")


def _cut_latest(ledger: ir.Table, known: ir.Table) -> ir.Table:
    met = ledger.join(known, "order_date")
    current = met.superseded_on.isnull() | (met.superseded_on > met.cutoff)
    return met.filter(current).drop("order_date", "superseded_on")
