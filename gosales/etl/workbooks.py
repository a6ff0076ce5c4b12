"""Excel workbooks as tables of text cells: which sheets hold the log, and where its header is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from gosales.errors import ContractBreach, MissingExtraError
from gosales.etl.headers import HEADER_WITHIN, find_header, recognise

__all__ = ["Sheet", "read_workbook"]


@dataclass(frozen=True)
class Sheet:
    """``titles``: how many rows stand above the header."""

    name: str
    table: pa.Table
    titles: int


def read_workbook(path: Path, name: str, chosen: dict[str, str]) -> tuple[list[Sheet], list[str]]:
    """The sheets with order dates and customers, as one for each year; where none has them, the
    first. Also the names of the others that hold anything.

    ``chosen``: columns that the settings name, by field. Raises ContractBreach for a file that
    is no workbook or has nothing on its first sheet, MissingExtraError without 'excel'.
    """
    try:
        import fastexcel
    except ImportError:
        raise MissingExtraError("excel", f"Reading {name}") from None
    try:
        book = fastexcel.read_excel(str(path))
        sheets = [_read(book, sheet, chosen) for sheet in book.sheet_names]
    except fastexcel.FastExcelError as error:
        raise ContractBreach(
            f"{name}: not a readable Excel workbook ({str(error).splitlines()[0]}).",
            "Save it again as .xlsx or as CSV.",
        ) from None
    logs = [sheet for sheet in sheets if _is_log(sheet.table.column_names, chosen)] or sheets[:1]
    if not logs or not logs[0].table.num_columns:
        raise ContractBreach(f"{name}: the first sheet is empty.", "The log goes on it.")
    return logs, [s.name for s in sheets if s not in logs and s.table.num_rows]


def _read(book: Any, name: str, chosen: dict[str, str]) -> Sheet:
    top = pa.table(
        book.load_sheet(name, header_row=None, n_rows=HEADER_WITHIN, dtypes="string").to_arrow()
    )
    if not top.num_columns:
        return Sheet(name, top, 0)
    rows = [[cell or "" for cell in row.values()] for row in top.to_pylist()]
    titles = find_header(rows, chosen)
    sheet = book.load_sheet(name, header_row=titles, dtypes="string")
    return Sheet(name, pa.table(sheet.to_arrow()), titles)


def _is_log(header: list[str], chosen: dict[str, str]) -> bool:
    fields = recognise(header, chosen)
    return "order_date" in fields and not fields.keys().isdisjoint(("customer_id", "customer_name"))
