"""The wall: the only door from the star to anything that is learnt.

The star is first reduced to small ledgers, none of which knows a cutoff. ``Ledgers.at`` then
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
import numpy as np
import pyarrow as pa
from ibis import _

from gosales.engine import MONEY, Engine
from gosales.etl.star import Star
from gosales.features.calendar import calendar

__all__ = ["CUSTOMER", "PAIR", "History", "Ledgers", "open_ledgers", "tells_margin"]

CUSTOMER = ["cutoff", "customer"]
PAIR = ["cutoff", "division", "customer"]


@dataclass(frozen=True)
class History:
    """All that was known at each cutoff; every table's rows are at or before their cutoff.

    Each row has ``cutoff``, ``customer`` (its number, see ``Ledgers``) and the columns of the
    calendar: ``days_ago`` (0 on the cutoff), ``months_ago`` (0 in the month that ends on the
    cutoff; a window of N months is ``months_ago < N``), ``months_before_lag`` (the same, seen
    from some days before the cutoff; null on the days after that), ``quarter`` and the weights
    ``decay_<half-life>``, in millionths ``micro_<half-life>``.

    ``days``: a row per (customer, division, day): ``gross_profit`` (decimal), ``lines``,
    ``returns`` (lines that are returns), ``revenue`` and ``margin`` (the gross profit of lines
    that have revenue; both only where the log tells them apart), ``gap_days`` since the day
    before with an order in the division (null for the first) and ``opens_month`` (1 for the
    first in a calendar month). ``customer_days``: the same per (customer, day), over all
    divisions. ``orders``: ``orders`` per (customer, division, day): an order over several days,
    such as one with a credit note, counts on the latest that the cutoff knows, so that a window
    up to the cutoff has all orders with a day in it; and ``placed``, which counts it on its first
    day, whatever came later. ``customer_orders``: the same per (customer, day), an order over
    several divisions counts once. ``skus``: ``skus``
    last bought on that day, as far as the cutoff knows; ``first_skus``: those first bought on
    it. ``purchases``: a row per (customer, division, ``product_sku``, day) on which it was
    bought, returns apart.
    """

    days: ir.Table
    customer_days: ir.Table
    orders: ir.Table
    customer_orders: ir.Table
    skus: ir.Table
    first_skus: ir.Table
    purchases: ir.Table


@dataclass(frozen=True)
class Ledgers:
    """What the star is reduced to, once for all cutoffs; on the far side of the wall.

    A customer is a number, the place of its id among ``customers``, which are sorted: engines
    group and join by numbers in two thirds of the time that texts take.
    """

    engine: Engine
    tables: dict[str, ir.Table]
    customers: pa.Array
    first: dt.date
    last: dt.date
    lag_days: int

    def at(self, cutoffs: Sequence[dt.date]) -> History:
        """What each of the cutoffs knows."""
        days = calendar(cutoffs, self.first, self.last, self.lag_days)
        known = self.engine.from_arrow(days)
        return History(**{name: _cut(table, known) for name, table in self.tables.items()})

    def buyers(self, divisions: Sequence[str]) -> dict[str, int]:
        """How many customers each division has in the end."""
        days = self.tables["days"]
        chosen = days.filter(days.division.isin(list(divisions)))
        counted = chosen.group_by("division").agg(n=_.customer.nunique())
        found = {row["division"]: row["n"] for row in self.engine.to_arrow(counted).to_pylist()}
        return {name: found.get(name, 0) for name in divisions}

    def customers_by(self, cutoffs: Sequence[dt.date]) -> dict[dt.date, int]:
        """How many customers each cutoff knows."""
        days = self.tables["customer_days"]
        first = days.group_by("customer").agg(day=_.order_date.min())
        counted = self.engine.to_arrow(first.group_by("day").agg(n=_.count())).sort_by("day")
        known = np.cumsum(np.append(0, counted["n"].to_numpy()))
        starts = counted["day"].to_numpy().astype("datetime64[D]")
        places = np.searchsorted(starts, np.array(cutoffs, "datetime64[D]"), side="right")
        return dict(zip(cutoffs, known[places].tolist(), strict=True))


def open_ledgers(
    star: Star,
    engine: Engine,
    until: dt.date,
    lag_days: int,
    has_margin: bool,
    purchases: bool,
) -> Ledgers:
    """The star's ledgers up to the last cutoff that will be asked for.

    ``has_margin`` and ``purchases`` say whether anybody will ask for those; purchases are as
    long as the star.
    """
    numbers = engine.cache(
        star.customers.select("customer_id", customer=_place(star.customers.customer_id))
    )
    # The star has each line's customer among its customers: no line is lost here.
    facts = star.transactions.inner_join(numbers, "customer_id")
    margin = {} if not has_margin else {"revenue": facts.revenue, "margin": _margin(facts)}
    facts = engine.cache(
        facts.filter(facts.order_date <= ibis.literal(until)).select(
            "customer",
            "order_date",
            "product_sku",
            "gross_profit",
            "is_return",
            division="product_division",
            # The order: its invoice, or the day where there is none.
            order_key=ibis.coalesce("i" + facts.invoice_id, "d" + facts.order_date.cast("string")),
            **margin,
        )
    )
    days = engine.cache(
        facts.group_by("customer", "division", "order_date").agg(
            gross_profit=_.gross_profit.sum().cast(MONEY),
            lines=_.count().cast("int32"),
            returns=_.is_return.cast("int32").sum().cast("int32"),
            **{name: _[name].sum().fill_null(0).cast(MONEY) for name in margin},
        )
    )
    customer_days = days.group_by("customer", "order_date").agg(
        **{name: _[name].sum().cast(MONEY) for name in ("gross_profit", *margin)},
        **{name: _[name].sum().cast("int32") for name in ("lines", "returns")},
    )
    first_skus = facts.group_by("customer", "product_sku").agg(order_date=_.order_date.min())
    tables = {
        "days": _rhythm(days, ["customer", "division"]),
        "customer_days": _rhythm(customer_days, ["customer"]),
        "orders": _latest(facts, ["customer", "division"], "order_key", "orders"),
        "customer_orders": _latest(facts, ["customer"], "order_key", "orders"),
        "skus": _latest(facts, ["customer"], "product_sku", "skus").drop("placed"),
        "first_skus": first_skus.group_by("customer", "order_date").agg(
            skus=_.count().cast("int32")
        ),
    }
    cached = {name: engine.cache(table) for name, table in tables.items()}
    sales = facts.filter(~facts.is_return)
    bought = sales.select("customer", "division", "product_sku", "order_date").distinct()
    cached["purchases"] = engine.cache(bought) if purchases else bought
    customers = engine.to_arrow(numbers.order_by("customer"))["customer_id"].combine_chunks()
    first, last = star.about.first_order, star.about.last_order
    return Ledgers(engine, cached, customers, first, last, lag_days)


def _place(column: ir.Value) -> ir.Value:
    """The place of a value among all of its column, from 0 on, by the alphabet."""
    return ibis.row_number().over(ibis.window(order_by=column)).cast("int32")


def tells_margin(star: Star, engine: Engine) -> bool:
    """Whether the log has revenue apart from gross profit."""
    facts = star.transactions
    apart = facts.filter(facts.revenue.notnull() & (facts.revenue != facts.gross_profit))
    return bool(engine.scalar(apart.limit(1).count()))


def _margin(facts: ir.Table) -> ir.Value:
    return facts.revenue.notnull().ifelse(facts.gross_profit, None)


def _latest(facts: ir.Table, owner: list[str], thing: str, count: str) -> ir.Table:
    """How many things (orders, SKUs) an owner last touched on a day, and until when that holds.

    Returns (owner, ``order_date``, ``superseded_on``, ``count``, ``placed``): a thing of several
    days has a row for each, superseded by the next. At a cutoff, the row of a thing that counts
    is the one that is at or before it and not superseded by then; see ``_cut``. ``placed`` counts
    those that were not touched before.
    """
    seen = facts.select(*owner, thing, "order_date").distinct()
    days = ibis.window(group_by=[*owner, thing], order_by="order_date")
    seen = seen.mutate(
        superseded_on=seen.order_date.lead().over(days),
        is_first=seen.order_date.lag().over(days).isnull(),
    )
    return seen.group_by(*owner, "order_date", "superseded_on").agg(
        **{count: _.count().cast("int32")}, placed=_.is_first.cast("int32").sum().cast("int32")
    )


def _rhythm(days: ir.Table, owner: list[str]) -> ir.Table:
    """The days with the gap to the day before; looks back only."""
    before = days.order_date.lag().over(ibis.window(group_by=owner, order_by="order_date"))
    found = days.mutate(before=before)
    same_month = (found.order_date.truncate("M") == found.before.truncate("M")).fill_null(False)
    return found.mutate(
        gap_days=found.order_date.delta(found.before, unit="day").cast("int32"),
        opens_month=(~same_month).cast("int32"),
    ).drop("before")


def _cut(ledger: ir.Table, known: ir.Table) -> ir.Table:
    """The wall itself: a row lives on at the cutoffs whose calendar has its day.

    A thing that was touched again by a cutoff counts on its latest row there, on others not at
    all; they live on for what was placed on them.
    """
    met = ledger.join(known, "order_date").drop("order_date")
    if "superseded_on" not in ledger.columns:
        return met
    current = met.superseded_on.isnull() | (met.superseded_on > met.cutoff)
    if "placed" not in ledger.columns:
        return met.filter(current).drop("superseded_on")
    counted = met.filter(current | (met.placed > 0))
    orders = current.ifelse(met.orders, 0).cast("int32")
    return counted.mutate(orders=orders).drop("superseded_on")
