"""The dimensions of the star, made from its lines."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import MONEY, Engine
from gosales.etl.names import name_key

__all__ = ["customer_base", "date_dimension", "product_dimension"]


def customer_base(lines: ir.Table, names: ir.Table) -> ir.Table:
    """One row a customer of the good lines; ``names`` (customer_id, customer_name, n) gives each
    its commonest name, the first in the alphabet of equally common ones."""
    order = lines.invoice_id.fill_null(lines.order_date.cast("string"))
    totals = lines.group_by("customer_id").agg(
        first_order_date=lines.order_date.min(),
        last_order_date=lines.order_date.max(),
        orders=order.nunique(),
        gross_profit=lines.gross_profit.sum().cast(MONEY),
    )
    ranked = names.filter(names.customer_name.notnull()).mutate(
        place=ibis.row_number().over(
            group_by="customer_id", order_by=[ibis.desc("n"), "customer_name"]
        )
    )
    best = ranked.filter(ranked.place == 0).select("customer_id", "customer_name")
    joined = totals.left_join(best, "customer_id").drop("customer_id_right")
    return joined.mutate(customer_name_key=name_key(joined.customer_name))


def product_dimension(pairs: ir.Table, descriptions: ir.Table) -> ir.Table:
    """One row a product: its commonest division, the description seen most, first and last day.

    ``pairs``: product_sku, product_division, lines, first_sold, last_sold.
    """
    spans = pairs.group_by("product_sku").agg(
        first_sold=pairs.first_sold.min(), last_sold=pairs.last_sold.max()
    )
    division = _commonest(pairs.rename(n="lines"), "product_sku", "product_division")
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
