"""Staged cells to typed order lines, the same columns for long and wide logs.

A line keeps the row it came from (``row_id``). What a cell should have been is told in a
``bad_*`` column: null where the cell is fine, the raw text where it is not.
"""

from __future__ import annotations

import functools
import operator

import ibis
import ibis.expr.types as ir

from gosales.engine import MONEY, Engine
from gosales.etl.layout import Layout
from gosales.etl.lookups import Lookups
from gosales.etl.normalize import clean_id, clean_text, filled, is_plain, parse_money, plain_money
from gosales.etl.staging import ORIGIN
from gosales.settings import EtlSettings

__all__ = ["blank_rows", "read_lines", "unmapped_profit"]

# Wide enough for one amount times another.
WIDE = "decimal(19, 4)"
# Fields of the document, carried as they are.
CARRIED = ("region", "territory", "rep", "order_type", "currency", "description")


def read_lines(
    engine: Engine,
    staged: ir.Table,
    cells: ir.Table,
    lookups: Lookups,
    layout: Layout,
    settings: EtlSettings,
) -> ir.Table:
    """Order lines of a staged log; ``cells``: the full ones of a wide log's products.

    Columns: row_id, line_no (which line of its row), source_file, source_row, customer_id,
    customer_name, order_date, invoice_id, product_sku, product_division (the SKU map's where it
    has one, else the line's own), quantity, revenue, gross_profit (decimals), the carried texts,
    ``at_odds`` (the line says another division than the SKU map), blank_amount, and
    ``bad_customer``, ``bad_sku``, ``bad_date``, ``bad_amount``, ``bad_quantity``.
    """
    documents = _documents(staged, lookups, layout)
    if layout.kind == "long":
        lines = _amounts(engine, _long_cells(documents, lookups, layout), settings)
        return _typed(lines, layout)
    # A wide log's cells are read before they meet their rows.
    amounts = _amounts(engine, cells, settings)
    # `0.00`, `$0` and `-` are empty too, but only a parser knows.
    zero = (amounts.gross_profit.fill_null(0) == 0) & (amounts.quantity.fill_null(0) == 0)
    faulty = amounts.bad_amount.notnull() | amounts.bad_quantity.notnull()
    full = amounts.filter(~zero | faulty).inner_join(lookups.products, "line_no")
    return _typed(full.inner_join(documents, "row_id").select(*full.columns, *DOCUMENT[1:]), layout)


def blank_rows(
    engine: Engine, staged: ir.Table, layout: Layout, columns: tuple[str, ...]
) -> ir.Table:
    """Origin of the rows without any cell, as spreadsheets leave them below the data."""
    needed = [~filled(staged[layout.fields[field]]) for field in ("customer_id", "order_date")]
    blank = engine.cache(staged.filter(_all(needed)).select(*ORIGIN))
    if engine.scalar(blank.count()):
        doubtful = staged.semi_join(blank, "row_id")
        empty = _all([~filled(doubtful[column]) for column in columns])
        blank = engine.cache(doubtful.filter(empty).select(*ORIGIN))
    return blank


def unmapped_profit(
    engine: Engine, staged: ir.Table, layout: Layout, settings: EtlSettings
) -> dict[str, object]:
    """The profit in each column that looks like a product and is not in the SKU map."""
    sums = {}
    for column, _ in layout.unmapped:
        texts = staged.group_by(text=staged[column]).agg(n=ibis._.count().cast("int64"))
        texts = engine.cache(texts.filter(filled(texts.text)))
        parsed = parse_money(engine, texts.select("text"), settings.decimal)
        joined = texts.inner_join(parsed, "text")
        sums[column] = engine.scalar((joined.amount * joined.n).sum().fill_null(0))
    return sums


def _documents(staged: ir.Table, lookups: Lookups, layout: Layout) -> ir.Table:
    """Rows with the fields that every line of a row shares; the other cells still as text."""

    def cell(field: str) -> ir.StringValue:
        column = layout.fields.get(field)
        return staged[column] if column else ibis.null("string")

    rows = staged.select(
        *ORIGIN,
        customer_id=clean_id(cell("customer_id")),
        name_text=cell("customer_name"),
        date_text=cell("order_date"),
        division_text=cell("product_division"),
        invoice_id=clean_id(cell("invoice_id")),
        **{
            field: clean_text(cell(field)) if field in layout.fields else cell(field)
            for field in CARRIED
        },
        **_raw_cells(staged, layout),
    )
    rows = rows.left_join(lookups.days, "date_text").drop("date_text_right")
    if lookups.divisions is None:
        rows = rows.mutate(own_division=ibis.null("string"))
    else:
        rows = rows.left_join(lookups.divisions, "division_text").drop("division_text_right")
    rows = _with_name(rows, lookups, layout)
    return rows.mutate(
        bad_customer=rows.customer_id.isnull().ifelse("", None),
        bad_date=rows.order_date.isnull().ifelse(rows.date_text.fill_null(""), None),
    )


def _with_name(rows: ir.Table, lookups: Lookups, layout: Layout) -> ir.Table:
    """Adds ``customer_name``: `497588 Acme Corp` without its number where that is the id;
    `1800 Flowers` of customer 77 stays whole."""
    if lookups.names is None:
        return rows.mutate(customer_name=ibis.null("string"))
    joined = rows.left_join(lookups.names, "name_text").drop("name_text_right")
    if layout.id_from_name:
        return joined.mutate(
            customer_id=ibis.coalesce(joined.number, joined.customer_id),
            customer_name=joined.rest,
        )
    own = (joined.number == joined.customer_id).fill_null(False)
    return joined.mutate(customer_name=own.ifelse(joined.rest, joined.whole))


def _raw_cells(staged: ir.Table, layout: Layout) -> dict[str, ir.StringValue]:
    """A long log's cells that are still to be parsed, under names that no field can have."""
    fields = ("product_sku", *NUMBERS)
    return {
        f"{field}_cell": staged[layout.fields[field]] for field in fields if field in layout.fields
    }


# The cells of a line that hold numbers.
NUMBERS = ("gross_profit", "revenue", "unit_price", "cogs", "quantity")
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


def _long_cells(rows: ir.Table, lookups: Lookups, layout: Layout) -> ir.Table:
    """One line a row."""
    texts = {f"{field}_text": rows[f"{field}_cell"] for field in NUMBERS if field in layout.fields}
    products = lookups.products
    joined = rows.left_join(products, rows.product_sku_cell == products.product_text)
    return joined.select(
        *DOCUMENT,
        "product_sku",
        "map_division",
        "map_rules",
        line_no=ibis.literal(0, type="int64"),
        **texts,
    )


def _amounts(engine: Engine, cells: ir.Table, settings: EtlSettings) -> ir.Table:
    """The numbers of each line, null where blank; ``bad_amount``, ``bad_quantity``.

    Texts that are no plain numbers are read once each and joined back.
    """
    present = [field for field in NUMBERS if f"{field}_text" in cells.columns]
    odd = [
        cells.filter(~is_plain(cells[f"{field}_text"], settings.decimal))
        .select(text=f"{field}_text")
        .distinct()
        for field in present
    ]
    texts = engine.cache(ibis.union(*odd, distinct=True) if len(odd) > 1 else odd[0])
    parsed = parse_money(engine, texts, settings.decimal)
    amounts = cells
    for field in present:
        own = parsed.select(
            text="text", **{f"{field}_odd": parsed.amount, f"{field}_bad": parsed.unreadable}
        )
        matched = amounts.left_join(own, amounts[f"{field}_text"] == own.text)
        amounts = matched.drop("text")
    value = {field: ibis.null(MONEY) for field in NUMBERS}
    bad = {field: ibis.null("string") for field in NUMBERS}
    for field in present:
        text = amounts[f"{field}_text"]
        plain = plain_money(text, settings.decimal)
        value[field] = ibis.coalesce(amounts[f"{field}_odd"], plain)
        bad[field] = amounts[f"{field}_bad"].fill_null(False).ifelse(text, None)
    return amounts.select(
        *[name for name in cells.columns if not name.endswith("_text")],
        **value,
        bad_amount=ibis.coalesce(*[bad[field] for field in NUMBERS if field != "quantity"]),
        bad_quantity=bad["quantity"],
    )


def _typed(lines: ir.Table, layout: Layout) -> ir.Table:
    """Gross profit as given, else revenue less cost, else revenue; a blank amount is zero.

    Revenue as given, else units times their price. What is worked out and too large for an amount
    is a bad one.
    """
    quantity = lines.quantity.fill_null(1).cast(MONEY)
    zero = {field: lines[field].fill_null(0).cast(MONEY) for field in NUMBERS}
    revenue, needed = lines.revenue, ["revenue"]
    too_large = ibis.null("string")
    if "unit_price" in layout.fields:
        worth = quantity.cast(WIDE) * zero["unit_price"]
        revenue, needed = worth.try_cast(MONEY), ["unit_price"]
        zero["revenue"] = revenue
        too_large = revenue.isnull().ifelse(worth.cast("string"), None)
    if layout.kind == "wide" or "gross_profit" in layout.fields:
        profit, needed = zero["gross_profit"], ["gross_profit"]
    elif "cogs" in layout.fields:
        left = zero["revenue"].cast(WIDE) - zero["cogs"]
        profit, needed = left.try_cast(MONEY), [*needed, "cogs"]
        too_large = ibis.coalesce(too_large, profit.isnull().ifelse(left.cast("string"), None))
    else:
        profit = zero["revenue"]
    blank = functools.reduce(operator.or_, [lines[field].isnull() for field in needed])
    return lines.mutate(
        gross_profit=profit,
        revenue=revenue,
        quantity=quantity,
        product_division=lines.map_rules.ifelse(
            ibis.coalesce(lines.map_division, lines.own_division),
            ibis.coalesce(lines.own_division, lines.map_division),
        ),
        bad_amount=ibis.coalesce(lines.bad_amount, too_large),
        at_odds=(lines.map_rules & (lines.map_division != lines.own_division)).fill_null(False),
        blank_amount=blank & lines.bad_amount.isnull() & (layout.kind == "long"),
        bad_sku=lines.product_sku.isnull().ifelse("", None),
    ).drop("unit_price", "cogs", "map_division", "map_rules", "own_division")


def _all(tests: list[ir.BooleanValue]) -> ir.BooleanValue:
    return functools.reduce(operator.and_, tests)
