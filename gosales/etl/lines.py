"""Staged cells to typed order lines, the same columns for long and wide logs.

A line keeps the row it came from (``row_id``). What a cell should have been is told in a
``bad_*`` column: null where the cell is fine, the raw text where it is not.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from gosales.engine import MONEY
from gosales.etl.layout import Layout
from gosales.etl.names import split_numbered_name
from gosales.etl.normalize import clean_id, clean_text, filled, parse_money
from gosales.etl.sku_map import SkuMap
from gosales.etl.staging import ORIGIN
from gosales.settings import EtlSettings

__all__ = ["blank_rows", "read_lines", "unmapped_profit"]

# Fields of the document, carried as they are.
CARRIED = ("region", "territory", "rep", "order_type", "currency", "description")


def read_lines(
    staged: ir.Table, days: ir.Table, layout: Layout, sku_map: SkuMap, settings: EtlSettings
) -> ir.Table:
    """Order lines of a staged log; ``days`` maps each text of the date column to its day.

    Columns: row_id, line_no (which line of its row), source_file, source_row, customer_id,
    customer_name, order_date, invoice_id, product_sku, own_division (as the log says),
    map_division (as the SKU map says), quantity, revenue, gross_profit (decimals), the carried
    texts, blank_amount, and ``bad_customer``, ``bad_sku``, ``bad_date``, ``bad_amount``,
    ``bad_quantity``.
    """
    documents = _documents(staged, days, layout)
    if layout.kind == "wide":
        return _wide_lines(documents, layout, settings)
    return _long_lines(documents, layout, sku_map, settings)


def blank_rows(staged: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """Rows without any cell, as spreadsheets leave them below the data."""
    return staged.filter(_all([~filled(staged[column]) for column in columns]))


def unmapped_profit(
    staged: ir.Table, layout: Layout, settings: EtlSettings
) -> dict[str, ir.Scalar]:
    """The profit in each column that looks like a product and is not in the SKU map."""
    return {
        column: parse_money(staged[column], settings.decimal).sum().fill_null(0)
        for column, _ in layout.unmapped
    }


def _documents(staged: ir.Table, days: ir.Table, layout: Layout) -> ir.Table:
    """Rows with the fields that every line of a row shares; the other cells still as text."""

    def cell(field: str) -> ir.StringValue:
        column = layout.fields.get(field)
        return staged[column] if column else ibis.null("string")

    number, name = split_numbered_name(cell("customer_name"))
    customer = clean_id(cell("customer_id"))
    if layout.id_from_name:
        customer = ibis.coalesce(number, customer)
    date_text = cell("order_date")
    shared = {
        "customer_id": customer,
        "customer_name": name,
        "date_text": date_text,
        "invoice_id": clean_id(cell("invoice_id")),
        "own_division": clean_text(cell("product_division")),
        **{field: clean_text(cell(field)) for field in CARRIED},
    }
    documents = staged.select(*ORIGIN, **shared, **_raw_cells(staged, layout))
    joined = documents.left_join(days, documents.date_text == days.text).drop("text")
    return joined.mutate(
        bad_customer=joined.customer_id.isnull().ifelse("", None),
        bad_date=joined.day.isnull().ifelse(joined.date_text.fill_null(""), None),
    ).rename(order_date="day")


def _raw_cells(staged: ir.Table, layout: Layout) -> dict[str, ir.StringValue]:
    """The cells that are still to be parsed, under names that no field can have."""
    fields = ("product_sku", "gross_profit", "revenue", "cogs", "quantity")
    columns = [layout.fields[field] for field in fields if field in layout.fields]
    columns += [c for p in layout.products for c in (p.gp_column, p.qty_column) if c]
    return {f"raw {column}": staged[column] for column in columns}


def _raw(rows: ir.Table, column: str) -> ir.StringValue:
    return rows[f"raw {column}"]


DOCUMENT = (
    "row_id",
    "source_file",
    "source_row",
    "customer_id",
    "customer_name",
    "order_date",
    "invoice_id",
    "own_division",
    *CARRIED,
    "bad_customer",
    "bad_date",
)


def _long_lines(rows: ir.Table, layout: Layout, sku_map: SkuMap, settings: EtlSettings) -> ir.Table:
    amounts: dict[str, ir.StringValue] = {
        field: _raw(rows, layout.fields[field])
        for field in ("gross_profit", "revenue", "cogs", "quantity")
        if field in layout.fields
    }
    sku = clean_id(_raw(rows, layout.fields["product_sku"]))
    parsed = {field: parse_money(text, settings.decimal) for field, text in amounts.items()}
    money = {field: amounts[field] for field in amounts if field != "quantity"}
    return rows.select(
        *DOCUMENT,
        line_no=ibis.literal(0, type="int64"),
        product_sku=sku,
        map_division=_mapped_division(sku, sku_map),
        quantity=_or_one(parsed.get("quantity")),
        revenue=_none_if_missing(parsed.get("revenue")),
        gross_profit=_gross_profit(parsed),
        blank_amount=_any([~filled(text) for text in money.values()]),
        bad_sku=sku.isnull().ifelse("", None),
        bad_amount=_first_bad(money, parsed),
        bad_quantity=_first_bad(
            {"quantity": amounts["quantity"]} if "quantity" in amounts else {}, parsed
        ),
    )


def _wide_lines(rows: ir.Table, layout: Layout, settings: EtlSettings) -> ir.Table:
    """One line for each product whose profit or quantity is there and not zero.

    Empty cells are dropped as text, before anything is parsed.
    """
    cells = ibis.array(
        [
            ibis.struct(
                {
                    "line_no": ibis.literal(place, type="int64"),
                    "product_sku": ibis.literal(product.sku),
                    "map_division": ibis.literal(product.division),
                    "gp_text": _raw(rows, product.gp_column),
                    "qty_text": _quantity_text(rows, layout, place),
                }
            )
            for place, product in enumerate(layout.products)
        ]
    )
    spread = rows.select(*DOCUMENT, cell=cells.unnest()).unpack("cell")
    present = spread.filter(_present(spread.gp_text) | _present(spread.qty_text))
    profit = parse_money(present.gp_text, settings.decimal)
    quantity = parse_money(present.qty_text, settings.decimal)
    texts = {"gross_profit": present.gp_text, "quantity": present.qty_text}
    parsed = {"gross_profit": profit, "quantity": quantity}
    lines = present.select(
        *DOCUMENT,
        "line_no",
        "product_sku",
        "map_division",
        quantity=_or_one(quantity),
        revenue=ibis.null(MONEY),
        gross_profit=profit.fill_null(0).cast(MONEY),
        blank_amount=ibis.literal(False),
        bad_sku=ibis.null("string"),
        bad_amount=_first_bad({"gross_profit": texts["gross_profit"]}, parsed),
        bad_quantity=_first_bad({"quantity": texts["quantity"]}, parsed),
        written_quantity=quantity,
    )
    # `0.00`, `$0` and `-` are zero too, but only a parser knows.
    zero = (lines.gross_profit == 0) & (lines.written_quantity.fill_null(0) == 0)
    faulty = lines.bad_amount.notnull() | lines.bad_quantity.notnull()
    return lines.filter(~zero | faulty).drop("written_quantity")


def _quantity_text(rows: ir.Table, layout: Layout, place: int) -> ir.StringValue:
    """The cell of units; of two names that share it, the first that has a profit takes it."""
    product = layout.products[place]
    if product.qty_column is None:
        return ibis.null("string")
    text = _raw(rows, product.qty_column)
    earlier = [
        _raw(rows, other.gp_column)
        for other in layout.products[:place]
        if other.qty_column == product.qty_column
    ]
    return _any([_present(other) for other in earlier]).ifelse(None, text) if earlier else text


def _present(text: ir.StringValue) -> ir.BooleanValue:
    return text.notnull() & ~text.isin(["", "0", "0.0", "0.00"])


def _gross_profit(parsed: Mapping[str, ir.DecimalValue]) -> ir.DecimalValue:
    """Gross profit as given, else revenue less cost, else revenue; a blank amount is zero."""
    if "gross_profit" in parsed:
        return parsed["gross_profit"].fill_null(0).cast(MONEY)
    revenue = parsed["revenue"].fill_null(0).cast(MONEY)
    if "cogs" in parsed:
        return (revenue - parsed["cogs"].fill_null(0).cast(MONEY)).cast(MONEY)
    return revenue


def _or_one(quantity: ir.DecimalValue | None) -> ir.DecimalValue:
    one = ibis.literal(1).cast(MONEY)
    return one if quantity is None else ibis.coalesce(quantity, one).cast(MONEY)


def _none_if_missing(value: ir.DecimalValue | None) -> ir.DecimalValue:
    return ibis.null(MONEY) if value is None else value


def _first_bad(
    texts: Mapping[str, ir.StringValue], parsed: Mapping[str, ir.DecimalValue]
) -> ir.StringValue:
    """The raw text of the first cell that holds something and could not be read."""
    bad = [
        (filled(text) & parsed[field].isnull()).ifelse(text, None) for field, text in texts.items()
    ]
    return ibis.coalesce(*bad) if bad else ibis.null("string")


def _mapped_division(sku: ir.StringValue, sku_map: SkuMap) -> ir.StringValue:
    """The SKU map's division of a product, or null; names compare as headers do."""
    key = sku.re_replace("[ \t_\u00a0-]+", "").lower()
    branches = [(key == name, product.division) for name, product in sku_map.by_name().items()]
    return ibis.cases(*branches, else_=ibis.null("string"))


def _any(tests: list[ir.BooleanValue]) -> ir.BooleanValue:
    return functools.reduce(operator.or_, tests)


def _all(tests: list[ir.BooleanValue]) -> ir.BooleanValue:
    return functools.reduce(operator.and_, tests)
