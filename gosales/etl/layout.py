"""Which column of a log is what: the layout (long or wide), its fields and its products."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Literal

from gosales.errors import ConfigError, ContractBreach
from gosales.etl.headers import FIELDS, header_key, recognise
from gosales.etl.sku_map import SkuMap
from gosales.etl.sources import Source
from gosales.settings import EtlSettings

__all__ = ["Layout", "ProductColumn", "align", "find_layout", "missing_columns"]

# What the header of a field that was not recognised is likely to hold, in any language we know.
LIKELY = {
    "customer_id": "cust|client|kund|klant|acc(oun)?t|buyer|dealer|name",
    "order_date": "date|datum|fecha|^data|day|tag$|time",
    "product_sku": "sku|item|prod|art[iyí]|mat(erial|nr)|part",
    "gross_profit": "prof|marg|amount|revenue|sales|umsatz|betrag|montant|import|valor",
    "revenue": "amount|revenue|sales|umsatz|betrag|montant|import|valor",
    "cogs": "cost|kost|co[uû]t|custo",
}
OF_A_PRODUCT = (
    "product_sku", "gross_profit", "revenue", "unit_price", "cogs", "quantity", "description",
)  # fmt: skip


@dataclass(frozen=True)
class ProductColumn:
    """A product of a wide log: its column of gross profit and, if there, of units."""

    sku: str
    division: str
    gp_column: str
    qty_column: str | None


@dataclass(frozen=True)
class Layout:
    """``fields``: canonical field -> column; ``unknown``: columns with no meaning to us;
    ``unmapped``: pairs (column, its ``_Qty`` column) that look like products without a map;
    ``id_from_name``: the customer's id and name share one column."""

    kind: Literal["long", "wide"]
    fields: dict[str, str]
    products: tuple[ProductColumn, ...]
    unknown: tuple[str, ...]
    unmapped: tuple[tuple[str, str], ...]
    id_from_name: bool


def find_layout(columns: list[str], settings: EtlSettings, sku_map: SkuMap) -> Layout:
    """Decide the layout of a log from all its columns.

    Raises ConfigError or ContractBreach for an ``etl.source_columns`` that names nothing.
    """
    _check_choices(columns, settings)
    products = _product_columns(columns, sku_map)
    fields = recognise(columns, settings.source_columns)
    # `497588 Acme Corp` in one column is an id and a name.
    id_from_name = "customer_id" not in fields and "customer_name" in fields
    if id_from_name:
        fields["customer_id"] = fields["customer_name"]
    kind = settings.layout
    if kind == "auto":
        kind = "wide" if products and "product_sku" not in settings.source_columns else "long"
    if kind == "wide":
        # A wide log's products are columns; one that is also a field's name is the product.
        taken = {c for p in products for c in (p.gp_column, p.qty_column) if c}
        for field in OF_A_PRODUCT:
            fields.pop(field, None)
        fields = {field: column for field, column in fields.items() if column not in taken}
    return _sort_out(kind, columns, fields, products if kind == "wide" else (), id_from_name)


def _sort_out(
    kind: Literal["long", "wide"],
    columns: list[str],
    fields: dict[str, str],
    products: tuple[ProductColumn, ...],
    id_from_name: bool,
) -> Layout:
    used = set(fields.values()) | {
        c for p in products for c in (p.gp_column, p.qty_column) if c is not None
    }
    rest = [column for column in columns if column not in used]
    keys = {header_key(column): column for column in rest}
    unmapped = [
        (column, keys[f"{header_key(column)}qty"])
        for column in rest
        if kind == "wide" and f"{header_key(column)}qty" in keys
    ]
    paired = {column for pair in unmapped for column in pair}
    unknown = tuple(column for column in rest if column not in paired)
    return Layout(kind, fields, products, unknown, tuple(unmapped), id_from_name)


def _product_columns(columns: list[str], sku_map: SkuMap) -> tuple[ProductColumn, ...]:
    by_key = {header_key(column): column for column in columns}
    found = []
    for key, product in sku_map.by_name().items():
        if key not in by_key:
            continue
        qty = by_key.get(header_key(product.qty_column)) or by_key.get(f"{key}qty")
        found.append(ProductColumn(product.sku, product.division, by_key[key], qty))
    # A name that is also a common field (Services, Training) is a product only beside others
    # or with a column of units: one lone hit in a long log is a coincidence.
    return tuple(found) if len(found) > 1 or any(p.qty_column for p in found) else ()


def _check_choices(columns: list[str], settings: EtlSettings) -> None:
    keys = {header_key(column) for column in columns}
    for field, header in settings.source_columns.items():
        if field not in FIELDS:
            near = difflib.get_close_matches(field, list(FIELDS), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigError(
                f"etl.source_columns: '{field}' is no field of a sales log.{hint}",
                f"The fields are: {', '.join(FIELDS)}.",
            )
        if header_key(header) not in keys:
            near = difflib.get_close_matches(header, columns, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ContractBreach(
                f"etl.source_columns: no source has the column '{header}' (for {field}).{hint}",
                f"The columns are: {', '.join(columns)}.",
            )


def align(layout: Layout, sources: tuple[Source, ...], settings: EtlSettings) -> tuple[Source, ...]:
    """The sources with each field under the header that the layout knows it by: exports of other
    years or systems call the same thing otherwise."""
    return tuple(_aligned(layout, source, settings) for source in sources)


def _aligned(layout: Layout, source: Source, settings: EtlSettings) -> Source:
    keys = {header_key(column) for column in source.columns}
    taken = {header_key(header) for header in layout.fields.values()}
    renamed = {}
    for field, own in recognise(list(source.columns), settings.source_columns).items():
        header = layout.fields.get(field, own)
        if header_key(header) not in keys and header_key(own) not in taken:
            renamed[own] = header
    if not renamed:
        return source
    said = ", ".join(f"'{own}' is taken for '{header}'" for own, header in renamed.items())
    return replace(
        source,
        columns=tuple(renamed.get(column, column) for column in source.columns),
        notes=(*source.notes, f"{source.name}: {said}."),
    )


def missing_columns(layout: Layout, sources: tuple[Source, ...]) -> dict[str, str]:
    """A message for each source that lacks a column without which a row means nothing."""
    needed = ["customer_id", "order_date"]
    if layout.kind == "long":
        needed.append("product_sku")
    problems = {}
    for source in sources:
        keys = {header_key(column) for column in source.columns}
        missing = [f for f in needed if header_key(layout.fields.get(f, "")) not in keys]
        if layout.kind == "long":
            missing += [
                f for f in _money(layout) if header_key(layout.fields.get(f, "")) not in keys
            ]
        if layout.kind == "wide" and not any(
            header_key(p.gp_column) in keys for p in layout.products
        ):
            missing.append("a product of the SKU map")
        if missing:
            problems[source.name] = _missing(source, missing)
    return problems


def _money(layout: Layout) -> list[str]:
    """The fields that profit is made of, in every source: a file without one would count as
    nothing, or without its costs."""
    if "gross_profit" in layout.fields:
        return ["gross_profit"]
    if "unit_price" in layout.fields:
        revenue = "unit_price"
    else:
        revenue = "revenue" if "revenue" in layout.fields else "gross_profit (or revenue)"
    return [revenue, "cogs"] if "cogs" in layout.fields else [revenue]


def _likely(source: Source, missing: list[str]) -> dict[str, str]:
    """For each field, a column of no known meaning whose name says that it could hold it."""
    taken = set(recognise(list(source.columns), {}).values())
    found: dict[str, str] = {}
    for field in missing:
        name = field.split(" ")[0]
        for column in source.columns:
            if column not in taken and re.search(LIKELY.get(name, "$^"), column, re.IGNORECASE):
                found[name] = column
                taken.add(column)
                break
    return found


def _missing(source: Source, missing: list[str]) -> str:
    text = f"{source.name}: required columns are missing: {', '.join(missing)}. "
    if len(source.columns) == 1:
        marks = [m for m in ",;\t|:^~" if m in source.columns[0]]
        hint = f" Its delimiter looks like {marks[0]!r}: set etl.delimiter." if marks else ""
        return f"{text}It has one column, {source.columns[0]!r}.{hint}"
    shown = ", ".join(source.columns[:12]) + (", ..." if len(source.columns) > 12 else "")
    keys = {header_key(column) for column in source.columns}
    products = [column for column in source.columns if f"{header_key(column)}qty" in keys]
    hint = ""
    if products:
        hint = (
            f" Are {', '.join(products[:3])} products, each with its units beside it? Then list "
            "them in etl.sku_map_overrides_csv (product_sku,qty_column,division)."
        )
    elif likely := _likely(source, missing):
        named = ", ".join(f"{field}: {column}" for field, column in likely.items())
        hint = f" Perhaps etl.source_columns: {{{named}}}?"
    elif "customer_id" not in missing and {"order_date", "product_sku"} <= set(missing):
        hint = (
            " Does it describe customers? Then keep it out of etl.sources and name it in "
            "etl.enrichment.sources."
        )
    return f"{text}It has: {shown}.{hint}"
