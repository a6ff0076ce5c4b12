"""Good order lines to facts: one name a division, a stable key a line, exact money."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gosales.engine import MONEY, Engine

__all__ = [
    "FACT_COLUMNS",
    "LINEAGE",
    "duplicate_keys",
    "key_lines",
    "with_content",
]

FACT_COLUMNS = (
    "transaction_id",
    "customer_id",
    "order_date",
    "invoice_id",
    "product_sku",
    "product_division",
    "quantity",
    "revenue",
    "gross_profit",
    "is_return",
    "region",
    "territory",
    "rep",
    "order_type",
    "currency",
    "source_file",
    "source_row",
)
# Where a row stood; everything else is the same in whatever files and order it comes.
LINEAGE = ("source_file", "source_row")
CONTENT = tuple(c for c in FACT_COLUMNS if c not in (*LINEAGE, "transaction_id", "is_return"))


def with_content(lines: ir.Table) -> ir.Table:
    """Adds ``content``, a hash of what a line says, whatever file and row it stands in."""
    parts = [lines[name].cast("string").fill_null("\x1e") for name in CONTENT]
    text = ibis.literal("\x1f").join(parts)
    return lines.mutate(content=text.hexdigest("md5").substr(0, 24))


def key_lines(engine: Engine, good: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Facts from good lines (columns of FACT_COLUMNS and ``row_id``), and the lines (``row_id``,
    ``line_no``, ``number``) that say what another line says.

    ``transaction_id`` is the hash of what the line says; lines that say the same are numbered
    ``-2``, ``-3``, so the keys do not depend on files or order of rows.
    """
    repeated = good.group_by("content").agg(n=ibis._.count()).filter(ibis._.n > 1)
    twins = good.semi_join(repeated, "content").select("row_id", "line_no", "content", *LINEAGE)
    order = ibis.window(group_by="content", order_by=["source_file", "source_row", "line_no"])
    numbered = engine.cache(
        twins.select("row_id", "line_no", number=ibis.row_number().over(order) + 1)
    )
    joined = good.left_join(numbered.filter(numbered.number > 1), ["row_id", "line_no"])
    suffix = ibis.coalesce(ibis.literal("-").concat(joined.number.cast("string")), "")
    facts = joined.select(
        "row_id",
        *[_exact(joined, name) for name in FACT_COLUMNS if name in good.columns],
        is_return=(joined.gross_profit < 0) | (joined.quantity < 0),
        transaction_id=joined.content.concat(suffix),
    )
    return facts, numbered


def _exact(table: ir.Table, name: str) -> ir.Value:
    column = table[name]
    return (
        column.cast(MONEY).name(name) if name in ("quantity", "revenue", "gross_profit") else column
    )


def duplicate_keys(facts: ir.Table, keys: list[str]) -> ir.Table:
    """Lines that share the declared unique key with another line: row_id and the key's text.

    Of lines that are the same in everything one is kept; those that differ are all named,
    for nothing tells which is right.
    """
    window = ibis.window(group_by=keys)
    content = facts.transaction_id.re_replace("-[0-9]+$", "")
    counted = facts.mutate(
        content=content,
        held=ibis._.count().over(window),
        kinds=content.max().over(window) != content.min().over(window),
        copy=facts.transaction_id != content,
    )
    value = counted[keys[0]].cast("string")
    for key in keys[1:]:
        value = value.concat(", ", counted[key].cast("string").fill_null(""))
    bad = counted.mutate(value=value).filter((counted.held > 1) & (counted.kinds | counted.copy))
    return bad.select("row_id", *LINEAGE, "value")
