"""The dimensions of the star, made from its facts."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import MONEY, Engine
from gosales.etl.names import name_key

__all__ = ["customer_base", "date_dimension", "product_dimension"]


def customer_base(facts: ir.Table, names: ir.Table) -> ir.Table:
    """One row a customer of the facts; ``names`` (customer_id, customer_name, n) gives each its
    commonest name, the first in the alphabet of equally common ones."""
    order = facts.invoice_id.fill_null(facts.order_date.cast("string"))
    totals = facts.group_by("customer_id").agg(
        first_order_date=facts.order_date.min(),
        last_order_date=facts.order_date.max(),
        orders=order.nunique(),
        gross_profit=facts.gross_profit.sum().cast(MONEY),
    )
    ranked = names.filter(names.customer_name.notnull()).mutate(
        place=ibis.row_number().over(
            group_by="customer_id", order_by=[ibis.desc("n"), "customer_name"]
        )
    )
    best = ranked.filter(ranked.place == 0).select("customer_id", "customer_name")
    joined = totals.left_join(best, "customer_id").drop("customer_id_right")
    return joined.mutate(customer_name_key=name_key(joined.customer_name))


def product_dimension(facts: ir.Table, descriptions: ir.Table) -> ir.Table:
    """One row a product: its commonest division, the description seen most, first and last day."""
    spans = facts.group_by("product_sku").agg(
        first_sold=facts.order_date.min(), last_sold=facts.order_date.max()
    )
    divisions = facts.group_by("product_sku", "product_division").agg(n=ibis._.count())
    division = _commonest(divisions, "product_sku", "product_division")
    described = descriptions.filter(descriptions.description.notnull())
    text = _commonest(described, "product_sku", "description")
    joined = spans.left_join(division, "product_sku").drop("product_sku_right")
    joined = joined.left_join(text, "product_sku").drop("product_sku_right")
    return joined.select(
        "product_sku", "product_division", "description", "first_sold", "last_sold"
    )


def _commonest(counted: ir.Table, key: str, value: str) -> ir.Table:
    place = ibis.row_number().over(group_by=key, order_by=[ibis.desc("n"), value])
    ranked = counted.mutate(place=place)
    return ranked.filter(ranked.place == 0).select(key, value)


def date_dimension(engine: Engine, first: dt.date, last: dt.date) -> ir.Table:
    """Every day from the star's first to its last order."""
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [
        {
            "date": day,
            "year": day.year,
            "quarter": (day.month + 2) // 3,
            "month": day.month,
            "is_month_end": (day + dt.timedelta(days=1)).day == 1,
        }
        for day in days
    ]
    schema = pa.schema(
        {
            "date": pa.date32(),
            "year": pa.int32(),
            "quarter": pa.int32(),
            "month": pa.int32(),
            "is_month_end": pa.bool_(),
        }
    )
    return engine.from_rows(rows, schema).order_by("date")
