"""The stage: the list, without those held back, in the forms that sales tools import."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from gosales.artifacts import entry, require
from gosales.checksum import parquet_batches
from gosales.errors import NothingToDo, UsageError
from gosales.handover.fields import handed_rows, mapped
from gosales.handover.workbook import workbook_bytes
from gosales.run import Run

__all__ = ["FORMATS", "HandoverReport", "hand_over"]

FORMATS = ("salesforce", "hubspot", "parquet", "excel")


@dataclass(frozen=True)
class HandoverReport:
    """How many rows were handed over, and the files, relative to the workspace."""

    cutoff: dt.date
    rows: int
    files: tuple[str, ...]


def hand_over(run: Run, formats: Sequence[str] | None = None) -> HandoverReport:
    """Write ``outputs/handover/`` in the given formats (default: ``handover.formats``).

    Raises MissingArtifact without a list, UsageError for an unknown format, MissingExtraError
    when ``excel`` lacks its writer, NothingToDo when the list is empty.
    """
    settings, place = run.settings.handover, run.workspace
    wanted = list(dict.fromkeys(settings.formats if formats is None else formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"'{unknown[0] if unknown else ''}' is no hand-over format.",
            f"Use {', '.join(FORMATS)}.",
        )
    source = require(place, place.output("whitespace.parquet"), "gosales whitespace")
    about = require(place, place.output("scoring.json"), "gosales score")
    told = json.loads(about.read_bytes())
    day = dt.date.fromisoformat(told["cutoff"])
    whole = pa.Table.from_batches(list(parquet_batches(source)))
    keep = pc.and_(pc.equal(whole.column("selected"), 1), pc.equal(whole.column("control"), 0))
    rows = handed_rows(whole.filter(keep), day, int(told["window_months"]))
    if not rows.num_rows:
        raise NothingToDo("Every row of the list is held back: there is nothing to hand over.")
    folder = place.output("handover")
    files = []
    with run.step("handover") as step, run.commit("handover") as change:
        change.made_from(source, about)
        for name, mapping in (("salesforce", settings.salesforce), ("hubspot", settings.hubspot)):
            if name in wanted:
                files.append(folder / f"{name}_{day}.csv")
                change.csv(mapped(rows, mapping, f"handover.{name}"), files[-1])
        if "parquet" in wanted:
            files.append(folder / f"list_{day}.parquet")
            change.arrow(rows, files[-1])
        if "excel" in wanted:
            files.append(folder / f"whitespace_{day}.xlsx")
            change.bytes(workbook_bytes(_sheets(run, rows), day), files[-1], rows.num_rows)
        step.rows = rows.num_rows
    return HandoverReport(day, rows.num_rows, tuple(place.relative(file) for file in files))


def _sheets(run: Run, rows: pa.Table) -> dict[str, pa.Table]:
    """The list; and, where they were made, the matrix of its customers and the open market."""
    place = run.workspace
    sheets = {"List": rows}
    matrix, totals = place.output("whitespace_matrix.csv"), place.output("whitespace_totals.csv")
    if entry(place, matrix) is None:
        return sheets
    wide = _read(require(place, matrix, "gosales matrix"))
    listed = pc.is_in(wide.column("customer_id"), pc.unique(rows.column("customer_id")))
    sheets["Customers x divisions"] = wide.filter(listed)
    sheets["Open market"] = _read(require(place, totals, "gosales matrix"))
    return sheets


def _read(path: object) -> pa.Table:
    """One of our CSV files; ids stay text, however much they look like numbers."""
    texts = ("customer_id", "customer_name", "region", "rep", "industry", "value", "by")
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(texts, pa.string()), strings_can_be_null=True
    )
    return pa_csv.read_csv(path, convert_options=options)
