"""What each distinct text of a log's column means: read once, then joined back to its rows.

A log has far fewer dates, names, products and divisions than rows, and what they mean takes
patterns that are too slow to try on every row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import Engine
from gosales.etl.dates import DateOrder, parse_dates, resolve_order
from gosales.etl.layout import Layout
from gosales.etl.names import split_numbered_name
from gosales.etl.normalize import clean_id, clean_text
from gosales.etl.sku_map import SkuMap
from gosales.settings import EtlSettings

__all__ = ["Lookups", "read_lookups"]


@dataclass(frozen=True)
class Lookups:
    """Tables by raw text; None where the log has no such column.

    ``days``: date_text, order_date. ``names``: name_text, number (an id before the name), rest
    (the name without it), whole. ``divisions``: division_text, own_division (its canonical
    name). ``products``: product_sku, map_division (as the SKU map says, or null), map_rules
    (whether that counts more than what the line says) by product_text, for a wide log by line_no,
    the place of its column. ``spellings``: each canonical division with the ways it is written.
    """

    days: ir.Table
    order: DateOrder
    names: ir.Table | None
    divisions: ir.Table | None
    products: ir.Table
    spellings: dict[str, list[str]]


def read_lookups(
    engine: Engine, staged: ir.Table, layout: Layout, sku_map: SkuMap, settings: EtlSettings
) -> Lookups:
    texts = engine.cache(staged.select(text=layout.fields["order_date"]).distinct())
    order = resolve_order(engine, texts, settings)
    days = parse_dates(engine, texts, order, settings).rename(date_text="text", order_date="day")
    names, divisions = None, None
    spellings: dict[str, list[str]] = {}
    if column := layout.fields.get("customer_name"):
        names = _names(engine, staged.select(text=column).distinct())
    if column := layout.fields.get("product_division"):
        divisions, spellings = _divisions(engine, staged.select(text=column), sku_map)
    if layout.kind == "wide":
        products = _product_columns(engine, layout)
    else:
        column = layout.fields["product_sku"]
        products = _products(engine, staged.select(text=column).distinct(), sku_map)
    return Lookups(days, order, names, divisions, products, spellings)


def _names(engine: Engine, texts: ir.Table) -> ir.Table:
    """`497588 Acme Corp` taken apart; whether the number is an id depends on its row."""
    texts = engine.cache(texts)
    number, name = split_numbered_name(texts.text)
    whole = clean_text(texts.text)
    return engine.cache(texts.select(name_text="text", number=number, rest=name, whole=whole))


def _divisions(
    engine: Engine, texts: ir.Table, sku_map: SkuMap
) -> tuple[ir.Table, dict[str, list[str]]]:
    """Names that differ only in case or blanks are one division: spelt as the SKU map does,
    else as most rows do, of equally common spellings the first in the alphabet."""
    counted = texts.group_by("text").agg(n=ibis._.count())
    counted = counted.mutate(name=clean_text(counted.text))
    written = engine.to_arrow(counted.filter(counted.name.notnull())).to_pylist()
    rows: dict[str, int] = defaultdict(int)
    for row in written:
        rows[row["name"]] += row["n"]
    canonical = {_division_key(name): name for name in sorted(sku_map.divisions())}
    spellings = defaultdict(list)
    for name in sorted(rows, key=lambda name: (-rows[name], name)):
        spellings[canonical.setdefault(_division_key(name), name)].append(name)
    table = engine.from_rows(
        [
            {"division_text": row["text"], "own_division": canonical[_division_key(row["name"])]}
            for row in written
        ],
        pa.schema({"division_text": pa.string(), "own_division": pa.string()}),
    )
    return table, dict(spellings)


def _division_key(name: str) -> str:
    return "".join(name.split()).lower()


def _products(engine: Engine, texts: ir.Table, sku_map: SkuMap) -> ir.Table:
    """Names compare with the SKU map's as headers do.

    The built-in map is that of one company. Where it knows fewer than half of a log's products,
    the log is another's, and one that both call Training or Supplies is so by coincidence.
    """
    skus = texts.select(product_text="text", product_sku=clean_id(texts.text))
    skus = engine.cache(skus.mutate(key=skus.product_sku.re_replace("[ \t_\u00a0-]+", "").lower()))
    divisions = engine.from_rows(
        [
            {"key": key, "map_division": p.division, "own": p.own}
            for key, p in sku_map.by_name().items()
        ],
        pa.schema({"key": pa.string(), "map_division": pa.string(), "own": pa.bool_()}),
    )
    found = engine.cache(skus.left_join(divisions, "key"))
    known = engine.scalar((~found.own).sum().fill_null(0))
    ours = 2 * known >= engine.scalar(found.product_sku.count())
    rules = found.own.fill_null(False) | ibis.literal(ours)
    return found.select("product_text", "product_sku", "map_division", map_rules=rules)


def _product_columns(engine: Engine, layout: Layout) -> ir.Table:
    return engine.from_rows(
        [
            {
                "line_no": place,
                "product_sku": product.sku,
                "map_division": product.division,
                "map_rules": True,
            }
            for place, product in enumerate(layout.products)
        ],
        pa.schema(
            {
                "line_no": pa.int64(),
                "product_sku": pa.string(),
                "map_division": pa.string(),
                "map_rules": pa.bool_(),
            }
        ),
    )
