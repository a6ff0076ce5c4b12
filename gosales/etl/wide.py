"""A wide log's full cells, told apart from its many empty ones while the rows pass by."""

from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc

from gosales.etl.layout import ProductColumn

__all__ = ["CELLS", "full_cells"]

# ``line_no``: the place of the product among the layout's.
CELLS = pa.schema(
    {
        "row_id": pa.int64(),
        "line_no": pa.int64(),
        "gross_profit_text": pa.string(),
        "quantity_text": pa.string(),
    }
)
NOTHING = ("", "0", "0.0", "0.00")


def full_cells(rows: pa.RecordBatch, products: tuple[ProductColumn, ...]) -> pa.Table:
    """(row, product) pairs whose cell of profit or of units is neither empty nor zero, as text."""
    parts = []
    for place, product in enumerate(products):
        profit, units = rows.column(product.gp_column), _units(rows, product, products)
        # Most cells are null: they go first, before any text is looked at.
        filled = pc.indices_nonzero(pc.or_(profit.is_valid(), units.is_valid()))
        part = pa.table(
            [rows.column("row_id").take(filled), profit.take(filled), units.take(filled)],
            names=["row_id", "gross_profit_text", "quantity_text"],
        )
        part = part.filter(pc.or_(_present(part[1]), _present(part[2])))
        part = part.add_column(1, "line_no", pa.repeat(place, part.num_rows))
        parts.append(part.cast(CELLS))
    return pa.concat_tables(parts)


def _units(
    rows: pa.RecordBatch, product: ProductColumn, products: tuple[ProductColumn, ...]
) -> pa.Array:
    """The cells of units. Of two names that share them, the first with a profit takes each, or
    the first of all where none has."""
    if product.qty_column is None:
        return pa.nulls(len(rows), pa.string())
    text = rows.column(product.qty_column)
    sharing = [p for p in products if p.qty_column == product.qty_column]
    if len(sharing) == 1:
        return text
    has = [_present(rows.column(p.gp_column)) for p in sharing]
    place = sharing.index(product)
    earlier = functools.reduce(pc.or_, has[:place], pa.repeat(False, len(rows)))
    takes = pc.and_not(has[place], earlier)
    if place == 0:
        takes = pc.or_(takes, pc.invert(functools.reduce(pc.or_, has)))
    return pc.if_else(takes, text, None)


def _present(text: pa.Array) -> pa.Array:
    return pc.and_not(text.is_valid(), pc.is_in(text, pa.array(NOTHING)))
