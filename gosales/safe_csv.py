"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FORMULA_START", "csv_bytes"]

FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_ROWS = 65_536


def csv_bytes(table: pa.Table) -> bytes:
    """A table as CSV. Text that a spreadsheet would run as a formula gets a leading ``'``."""
    lines = _Lines()
    # With this line end the writer quotes cells that hold either of its characters.
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(_safe(pa.array(table.column_names, pa.string())).to_pylist())
    for start in range(0, table.num_rows, CSV_ROWS):
        part = table.slice(start, CSV_ROWS)
        writer.writerows(zip(*(_cells(column) for column in part.columns), strict=True))
    return "".join(lines).encode("utf-8")


class _Lines(list[str]):
    """The lines that a csv writer writes, each ended by a line feed alone."""

    def write(self, line: str) -> None:
        self.append(line[:-2] + "\n")


def _cells(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    cells: list[Any] = (_safe(column) if text else column).to_pylist()
    return cells


def _safe(text: pa.ChunkedArray | pa.StringArray) -> Any:
    """Texts that do not start a formula."""
    risky = pc.is_in(pc.utf8_slice_codeunits(text, 0, 1), pa.array(FORMULA_START, text.type))
    return pc.if_else(risky, pc.binary_join_element_wise("'", text, ""), text)
