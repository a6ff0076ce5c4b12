"""The list as a file: exactly the rows that the page shows, or those that were picked."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

from gosales.errors import StaleArtifact, UsageError
from gosales.safe_csv import csv_bytes
from gosales.ui.shelf import Shelf
from gosales.ui.views.opportunities import Ask, listed
from gosales.ui.views.overview import scored_cutoff
from gosales.ui.views.pairs import list_id

__all__ = ["csv_download", "excel_download", "picked_download"]

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Names of the columns as sellers and their tools know them.
NAMES = {"odds": "probability", "score": "whitespace_score"}


def csv_download(shelf: Shelf, request: Request) -> Response:
    return _file(shelf, listed(shelf, Ask.of(request.query_params)), "csv")


def excel_download(shelf: Shelf, request: Request) -> Response:
    return _file(shelf, listed(shelf, Ask.of(request.query_params)), "xlsx")


def picked_download(shelf: Shelf, body: bytes) -> Response:
    """A form with ``pick`` (ranks), ``list`` (which list they are of), ``owned``, ``format``.

    Raises StaleArtifact when the list was made again meanwhile, UsageError without a pick.
    """
    form = parse_qs(body.decode("utf-8", "replace"))
    owned = form.get("owned", ["no"])[0]
    if form.get("list", [""])[0] != list_id(shelf, owned):
        raise StaleArtifact(
            "The list was made again since this page was opened: its ranks mean other customers.",
            "Go back, reload the page and pick again.",
        )
    words = [word for text in form.get("pick", []) for word in text.split(",")]
    picks = sorted({int(word) for word in words if word.isdecimal()})
    if not picks:
        raise UsageError("Nothing is picked.", "Tick rows of the list, then download.")
    kind = "xlsx" if form.get("format") == ["xlsx"] else "csv"
    return _file(shelf, listed(shelf, Ask(owned=owned), picks), kind)


def _file(shelf: Shelf, rows: pa.Table, kind: str) -> Response:
    table = rows.drop_columns(["selected"])
    table = table.rename_columns([NAMES.get(name, name) for name in table.column_names])
    day = scored_cutoff(shelf)
    name = f"opportunities_{day}.{kind}"
    if kind == "xlsx":
        # Here, because its package brings the databases along: a second at every start.
        from gosales.handover.workbook import workbook_bytes

        content = workbook_bytes({"Opportunities": table}, dt.date.fromisoformat(day))
    else:
        content = csv_bytes(table)
    return Response(
        content,
        media_type=EXCEL if kind == "xlsx" else "text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
