"""The list as an Excel workbook: filters, frozen heads, number formats (extra ``excel``)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from gosales.errors import MissingExtraError

__all__ = ["workbook_bytes"]

FORMATS = {
    "probability": "0%", "odds": "0%", "score": "0.000", "rate": "0.0%",
    "expected_gp": "#,##0", "deal_value": "#,##0", "open_expected_gp": "#,##0",
    "expected_buyers": "#,##0.0",
}  # fmt: skip
WIDEST, NARROWEST, SAMPLE = 60, 8, 200


def workbook_bytes(sheets: Mapping[str, pa.Table], made_on: dt.date) -> bytes:
    """One sheet a table, in their order. The same tables and day give the same bytes.

    Raises MissingExtraError without xlsxwriter.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("excel", "Writing a workbook") from None
    content = io.BytesIO()
    # Text is text: a name that starts with = or looks like a link stays as it is.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": dt.datetime(made_on.year, made_on.month, made_on.day)})
        styles = _Styles(book)
        for name, table in sheets.items():
            _sheet(book.add_worksheet(name), table, styles)
    return content.getvalue()


class _Styles:
    """The workbook's formats, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._known: dict[str, Any] = {}
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})

    def of(self, column: str, kind: pa.DataType) -> Any:
        code = FORMATS.get(column) or FORMATS.get(column.rsplit(" ", 1)[-1], "")
        if not code and pa.types.is_date(kind):
            code = "yyyy-mm-dd"
        if not code and pa.types.is_integer(kind):
            code = "#,##0"
        if not code:
            return None
        if code not in self._known:
            self._known[code] = self._book.add_format({"num_format": code})
        return self._known[code]


def _sheet(sheet: Any, table: pa.Table, styles: _Styles) -> None:
    sheet.freeze_panes(1, 0)
    for place, (field, column) in enumerate(zip(table.schema, table.columns, strict=True)):
        values = column.to_pylist()
        shown = [len(str(value)) for value in values[:SAMPLE] if value is not None]
        width = min(WIDEST, max([NARROWEST, len(field.name) + 3, *shown]))
        style = styles.of(field.name, field.type)
        sheet.set_column(place, place, width, style)
        sheet.write_string(0, place, field.name, styles.head)
        write = _writer(sheet, field.type)
        for row, value in enumerate(values, start=1):
            if value is not None:
                write(row, place, value, style)
    if table.num_columns:
        sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)


def _writer(sheet: Any, kind: pa.DataType) -> Any:
    if pa.types.is_date(kind):
        return sheet.write_datetime
    if pa.types.is_boolean(kind):
        return sheet.write_boolean
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return sheet.write_string
    return lambda row, place, value, style: sheet.write_number(row, place, float(value), style)
