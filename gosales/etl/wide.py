"""A wide log's full cells, told apart from its many empty ones while the rows pass by."""

from __future__ import annotations

import functools

import numpy as np
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
    # The columns of all products end to end: few calls, where each product for itself is hundreds.
    profit = pa.chunked_array([rows.column(p.gp_column) for p in products], pa.string())
    units = pa.chunked_array([_units(rows, p, products) for p in products], pa.string())
    # Most cells are null: they go first, before any text is looked at.
    filled = pc.indices_nonzero(pc.or_(profit.is_valid(), units.is_valid()))
    line_no, row = np.divmod(filled.to_numpy().astype(np.int64), max(len(rows), 1))
    row_id = rows.column("row_id").take(pa.array(row))
    cells = pa.table([row_id, line_no, profit.take(filled), units.take(filled)], schema=CELLS)
    return cells.filter(pc.or_(_present(cells[2]), _present(cells[3])))


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
