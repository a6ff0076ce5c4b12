"""What the star says at the cutoff of the customers and pairs that may be on the list."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.etl.star import Star
from gosales.run import Run

__all__ = ["customer_facts", "last_bought"]


def last_bought(star: Star, cutoff: dt.date) -> ir.Table:
    """(customer_id, division_name) -> ``last_bought``, for any order line by the cutoff."""
    lines = star.transactions.filter(_.order_date <= cutoff)
    return lines.group_by("customer_id", division_name="product_division").agg(
        last_bought=_.order_date.max()
    )


def customer_facts(run: Run, star: Star, cutoff: dt.date) -> ir.Table:
    """One row a customer of the star: ``customer_name``, ``region``, ``rep``, ``industry``
    (text, null where unknown) and ``orders`` by the cutoff.

    Region and rep are those of the newest order by the cutoff that names one, else those of
    dim_customer.
    """
    lines = run.engine.cache(
        star.transactions.filter(_.order_date <= cutoff).select(
            "customer_id", "order_date", "invoice_id", "region", "rep"
        )
    )
    orders = lines.group_by("customer_id").agg(
        orders=ibis.coalesce("i" + lines.invoice_id, "d" + lines.order_date.cast("string"))
        .nunique()
        .cast("int64")
    )
    known = star.customers
    facts = known.select(
        "customer_id",
        "customer_name",
        **{f"dim_{name}": _text(known, name) for name in ("region", "rep", "industry")},
    )
    for table in (orders, _newest(lines, "region"), _newest(lines, "rep")):
        facts = facts.left_join(table, "customer_id").drop("customer_id_right")
    return run.engine.cache(
        facts.select(
            "customer_id",
            "customer_name",
            region=ibis.coalesce(facts.region, facts.dim_region),
            rep=ibis.coalesce(facts.rep, facts.dim_rep),
            industry=facts.dim_industry,
            orders=facts.orders.fill_null(0),
        )
    )


def _text(table: ir.Table, name: str) -> ir.StringValue:
    return table[name].cast("string") if name in table.columns else ibis.null("string")


def _newest(lines: ir.Table, name: str) -> ir.Table:
    """The value of the newest day; of several on that day the commonest, then the first."""
    seen = (
        lines.filter(lines[name].notnull())
        .group_by("customer_id", name)
        .agg(day=_.order_date.max(), n=_.count())
    )
    place = ibis.row_number().over(
        group_by="customer_id", order_by=[ibis.desc("day"), ibis.desc("n"), name]
    )
    ranked = seen.mutate(place=place)
    return ranked.filter(ranked.place == 0).select("customer_id", name)
