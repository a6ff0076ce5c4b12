"""The labels as one expression: all cutoffs and all divisions in one pass over the star."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.etl.star import Star
from gosales.labels.spec import LabelSpec
from gosales.months import Window, label_window

__all__ = ["COHORTS", "COLUMNS", "first_purchase_counts", "label_table"]

COHORTS = ("new_logo", "expansion", "renewal_like")
COLUMNS = (
    "customer_id",
    "division",
    "cutoff",
    "window_start",
    "window_end",
    "label",
    "target_gp",
    "is_new_logo",
    "is_expansion",
    "is_renewal_like",
    "censored_flag",
)
# What tells one window from another: the day before it and its last.
SPAN = ("cutoff", "window_end")


def label_table(
    star: Star, divisions: Sequence[str], cutoffs: Sequence[dt.date], spec: LabelSpec
) -> ir.Table:
    """One row per (division, cutoff, customer of the population), in no order.

    ``target_gp`` is the division's net gross profit in the window in decimal(18, 4), returns
    netted out, denylisted SKUs left out, 0 without an order; ``label`` is 1 when it exceeds
    the threshold. Flags are 0 or 1 (int8). A line at or before the cutoff, whatever its
    profit or product, makes its customer one who ordered before.
    """
    facts = star.transactions.select(
        "customer_id", "order_date", "product_sku", "gross_profit", division="product_division"
    )
    windows = _windows(
        [label_window(cutoff, spec.window_months) for cutoff in cutoffs], star.about.last_order
    )
    own = facts.filter(facts.division.isin(list(divisions)))
    population = _population(star, facts, divisions, windows, spec)

    before = own.group_by("customer_id", "division").agg(first_in_division=_.order_date.min())
    rows = _left(population, before, ["customer_id", "division"])
    rows = _left(rows, _net_profit(own, windows, spec), ["customer_id", "division", *SPAN])

    known = (rows.first_order <= rows.cutoff).fill_null(False)
    owned = (rows.first_in_division <= rows.cutoff).fill_null(False)
    gp = rows.net_gp.fill_null(ibis.literal(0, MONEY)).cast(MONEY)
    return rows.mutate(
        label=(gp > ibis.literal(spec.threshold, MONEY)).cast("int8"),
        target_gp=gp,
        is_new_logo=(~known).cast("int8"),
        is_expansion=(known & ~owned).cast("int8"),
        is_renewal_like=owned.cast("int8"),
    ).select(*COLUMNS)


def first_purchase_counts(
    star: Star, divisions: Sequence[str], windows: Sequence[Window], spec: LabelSpec
) -> ir.Table:
    """(division, cutoff, window_end) -> ``customers`` who had ordered by the cutoff, the day before
    the window, but never in the division, and the ``buyers`` among them.

    What adding up ``label_table`` would give, without its rows; a window without such a customer
    has none.
    """
    facts = star.transactions.select(
        "customer_id", "order_date", "product_sku", "gross_profit", division="product_division"
    )
    spans = _windows(windows, star.about.last_order)
    own = facts.filter(facts.division.isin(list(divisions)))
    known = facts.group_by("customer_id").agg(first_order=_.order_date.min())
    before = own.group_by("customer_id", "division").agg(first_in_division=_.order_date.min())
    won = _net_profit(own, spans, spec)
    won = won.filter(won.net_gp > ibis.literal(spec.threshold, MONEY))
    won = _left(_left(won, before, ["customer_id", "division"]), known, ["customer_id"])
    won = won.filter(won.first_order <= won.cutoff, won.first_in_division > won.cutoff)
    buyers = won.group_by("division", *SPAN).agg(buyers=_.count())

    days = spans.select(*SPAN)
    everybody = known.join(days, known.first_order <= days.cutoff)
    everybody = everybody.group_by(*SPAN).agg(everybody=_.count())
    owners = before.join(days, before.first_in_division <= days.cutoff)
    owners = owners.group_by("division", *SPAN).agg(owners=_.count())
    cells = _left(everybody.cross_join(_named(divisions)), owners, ["division", *SPAN])
    cells = cells.mutate(customers=cells.everybody - cells.owners.fill_null(0))
    rows = _left(cells.filter(cells.customers > 0), buyers, ["division", *SPAN])
    rows = rows.mutate(buyers=rows.buyers.fill_null(0))
    return rows.select("division", *SPAN, "customers", "buyers")


def _windows(windows: Sequence[Window], last_order: dt.date) -> ir.Table:
    """One row a window: the cutoff before it, its first and last day, and whether the data ends
    inside."""
    rows = []
    for window in windows:
        row = ibis.literal(window.start - dt.timedelta(days=1)).name("cutoff").as_table()
        rows.append(
            row.mutate(
                window_start=ibis.literal(window.start),
                window_end=ibis.literal(window.end),
                censored_flag=ibis.literal(int(last_order < window.end), "int8"),
            )
        )
    return ibis.union(*rows) if len(rows) > 1 else rows[0]


def _population(
    star: Star, facts: ir.Table, divisions: Sequence[str], windows: ir.Table, spec: LabelSpec
) -> ir.Table:
    """(customer, division, cutoff) with ``first_order``, null for one who never ordered."""
    customers = facts.group_by("customer_id").agg(first_order=_.order_date.min())
    if spec.mode == "all":
        customers = _left(star.customers.select("customer_id"), customers, ["customer_id"])
        population = customers.cross_join(windows)
    else:
        population = customers.join(windows, customers.first_order <= windows.cutoff)
    return population.cross_join(_named(divisions))


def _named(divisions: Sequence[str]) -> ir.Table:
    names = [ibis.literal(name).name("division").as_table() for name in divisions]
    return ibis.union(*names) if len(names) > 1 else names[0]


def _net_profit(own: ir.Table, windows: ir.Table, spec: LabelSpec) -> ir.Table:
    """(customer, division, window) -> ``net_gp`` of the lines inside it that count."""
    if spec.denylist:
        own = own.filter(own.product_sku.notin(sorted(spec.denylist)))
    daily = own.group_by("customer_id", "division", "order_date").agg(
        gross_profit=_.gross_profit.sum().cast(MONEY)
    )
    inside = daily.join(
        windows,
        [daily.order_date >= windows.window_start, daily.order_date <= windows.window_end],
    )
    return inside.group_by("customer_id", "division", *SPAN).agg(
        net_gp=_.gross_profit.sum().cast(MONEY)
    )


def _left(left: ir.Table, right: ir.Table, keys: list[str]) -> ir.Table:
    """Left join on keys of the same name, which appear once."""
    return left.left_join(right, keys).drop(*[f"{key}_right" for key in keys])
