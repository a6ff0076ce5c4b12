"""Good order lines to facts: one name a division, a stable key a line, exact money."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import MONEY, Engine
from gosales.etl.sku_map import SkuMap

__all__ = [
    "FACT_COLUMNS",
    "LINEAGE",
    "division_names",
    "duplicate_keys",
    "key_lines",
    "with_division",
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


def division_names(engine: Engine, lines: ir.Table, sku_map: SkuMap) -> ir.Table:
    """``own_division`` as written -> ``canonical``: the SKU map's spelling, else the commonest.

    Names that differ only in case or blanks are one division.
    """
    spelt = (
        lines.filter(lines.own_division.notnull()).group_by("own_division").agg(n=ibis._.count())
    )
    spelt = engine.cache(spelt.mutate(key=_division_key(spelt.own_division)))
    rows = engine.to_arrow(spelt.order_by("key", ibis.desc("n"), "own_division")).to_pylist()
    mapped = {_plain_key(name): name for name in sku_map.divisions()}
    best: dict[str, str] = {}
    for row in rows:
        best.setdefault(row["key"], mapped.get(row["key"], row["own_division"]))
    return engine.from_rows(
        [{"own": row["own_division"], "canonical": best[row["key"]]} for row in rows],
        pa.schema({"own": pa.string(), "canonical": pa.string()}),
    )


def _division_key(name: ir.StringValue) -> ir.StringValue:
    return name.re_replace("[ \t\u00a0]+", "").lower()


def _plain_key(name: str) -> str:
    return "".join(name.split()).lower()


def with_division(lines: ir.Table, names: ir.Table) -> ir.Table:
    """Adds ``own_canonical`` and ``division``: the SKU map's where it has one, else the line's."""
    joined = lines.left_join(names, lines.own_division == names.own).drop("own")
    joined = joined.rename(own_canonical="canonical")
    return joined.mutate(division=ibis.coalesce(joined.map_division, joined.own_canonical))


def key_lines(engine: Engine, good: ir.Table) -> ir.Table:
    """Facts from good lines (columns of FACT_COLUMNS and ``row_id``).

    ``transaction_id`` is a hash of what the line says; lines that say the same are numbered
    ``-2``, ``-3``, so the keys do not depend on files or order of rows.
    """
    facts = good.select(
        "row_id",
        "line_no",
        "customer_id",
        "order_date",
        "invoice_id",
        "product_sku",
        "quantity",
        "revenue",
        "gross_profit",
        "region",
        "territory",
        "rep",
        "order_type",
        "currency",
        *LINEAGE,
        product_division=good.division,
        is_return=(good.gross_profit < 0) | (good.quantity < 0),
    )
    parts = [facts[name].cast("string").fill_null("\x1e") for name in CONTENT]
    text = parts[0].concat(*[piece for part in parts[1:] for piece in ("\x1f", part)])
    hashed = engine.cache(facts.mutate(content=text.hexdigest("md5").substr(0, 24)))
    repeated = hashed.group_by("content").agg(n=ibis._.count()).filter(ibis._.n > 1)
    twins = hashed.semi_join(repeated, "content").select("row_id", "line_no", "content", *LINEAGE)
    order = ibis.window(group_by="content", order_by=["source_file", "source_row", "line_no"])
    numbered = engine.cache(
        twins.select(
            twin_row="row_id", twin_line="line_no", number=ibis.row_number().over(order) + 1
        )
    )
    joined = hashed.left_join(
        numbered, [hashed.row_id == numbered.twin_row, hashed.line_no == numbered.twin_line]
    )
    again = joined.number.fill_null(1) > 1
    suffix = again.ifelse(ibis.literal("-").concat(joined.number.cast("string")), "")
    return joined.select(
        "row_id",
        *[_exact(joined, name) for name in FACT_COLUMNS if name != "transaction_id"],
        transaction_id=joined.content.concat(suffix),
    )


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
