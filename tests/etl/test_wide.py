"""The full cells of a wide log, against a plain reading of each row."""

from __future__ import annotations

import pyarrow as pa

from gosales.etl.layout import ProductColumn
from gosales.etl.wide import full_cells

PRODUCTS = (
    ProductColumn("Core", "CAD", "Core", "Core_Qty"),
    ProductColumn("Success", "Plan", "Success", "Success_Qty"),
    ProductColumn("Success", "Plan", "Success_Old", "Success_Qty"),
    ProductColumn("Extra", "CAD", "Extra", None),
)
ROWS = [
    {"Core": "12.50", "Core_Qty": "1"},
    {"Core": "0", "Core_Qty": "0.00", "Extra": ""},
    {"Core": "0.0", "Core_Qty": "3"},
    {"Core": "$0", "Extra": "7"},
    {"Success": "5", "Success_Qty": "2"},
    {"Success_Old": "6", "Success_Qty": "2"},
    {"Success": "5", "Success_Old": "6", "Success_Qty": "2"},
    {"Success_Qty": "4"},
    {},
]


def expected() -> set[tuple[int, int, str | None, str | None]]:
    def present(text: str | None) -> bool:
        return text not in (None, "", "0", "0.0", "0.00")

    found = set()
    for row_id, row in enumerate(ROWS):
        for place, product in enumerate(PRODUCTS):
            profit = row.get(product.gp_column)
            units = row.get(product.qty_column) if product.qty_column else None
            if product.sku == "Success":
                sold = [present(row.get(name)) for name in ("Success", "Success_Old")]
                taker = sold.index(True) if any(sold) else 0
                units = units if place == 1 + taker else None
            if present(profit) or present(units):
                found.add((row_id, place, profit, units))
    return found


def test_full_cells_are_those_that_are_neither_empty_nor_zero() -> None:
    names = ["Core", "Core_Qty", "Success", "Success_Old", "Success_Qty", "Extra"]
    columns = [pa.array([row.get(name) for row in ROWS], pa.string()) for name in names]
    ids = pa.array(range(len(ROWS)), pa.int64())
    cells = full_cells(pa.record_batch([*columns, ids], names=[*names, "row_id"]), PRODUCTS)
    assert cells.num_rows == 9
    assert {tuple(row.values()) for row in cells.to_pylist()} == expected()


def test_a_batch_without_rows_has_no_full_cells() -> None:
    names = ["Core", "Core_Qty", "Success", "Success_Old", "Success_Qty", "Extra"]
    columns = [pa.array([], pa.string()) for _ in names]
    batch = pa.record_batch([*columns, pa.array([], pa.int64())], names=[*names, "row_id"])
    assert full_cells(batch, PRODUCTS).num_rows == 0
