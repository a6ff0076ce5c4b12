"""What came in, what was set aside and why: the log's quality, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import STAR

__all__ = ["DataQuality", "data_quality"]

PAGE = 50
SAMPLE = 25


@dataclass(frozen=True)
class DataQuality:
    """The accounting of rows and money, findings a page at a time, and the quarantine."""

    facts: dict[str, Any]
    accounting: list[dict[str, Any]]
    by_rule: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    count: int
    page: int
    pages: int
    rule: str
    quarantine_by_rule: list[dict[str, Any]]
    quarantine: pa.Table | None

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = self.facts.get("report") or {}
        return found


def data_quality(shelf: Shelf, rule: str = "", page: int = 1) -> DataQuality:
    """Raises MissingArtifact, StaleArtifact or IntegrityError when there is no usable star."""
    place = shelf.workspace
    facts = shelf.json(place.star_facts, STAR)
    # A star that was not built by the pipeline has no checks beside it.
    findings, accounting = _empty(), []
    if shelf.has(place.violations):
        findings = shelf.csv(place.violations, STAR)
    if shelf.has(place.qa("row_counts.csv")):
        accounting = shelf.csv(place.qa("row_counts.csv"), STAR).to_pylist()
    mine = findings.filter(pc.equal(findings.column("rule"), rule)) if rule else findings
    pages = max(ceil(mine.num_rows / PAGE), 1)
    page = min(max(page, 1), pages)
    counts, sample = _quarantine(shelf)
    return DataQuality(
        facts,
        accounting,
        _by_rule(findings),
        mine.slice((page - 1) * PAGE, PAGE).to_pylist(),
        mine.num_rows,
        page,
        pages,
        rule,
        counts,
        sample,
    )


def _by_rule(findings: pa.Table) -> list[dict[str, Any]]:
    grouped = findings.group_by(["rule", "severity"]).aggregate([([], "count_all")])
    rows = grouped.rename_columns(["rule", "severity", "rows"]).to_pylist()
    return sorted(rows, key=lambda row: (row["severity"], -row["rows"], row["rule"]))


def _quarantine(shelf: Shelf) -> tuple[list[dict[str, Any]], pa.Table | None]:
    path = shelf.workspace.quarantine("sales_log")
    if not shelf.has(path):
        return [], None
    table = shelf.table(path, STAR)
    counts = shelf.rows(table.group_by("rule").agg(rows=_.count()).order_by("rule"))
    if not counts:
        return [], None
    sample = shelf.arrow(table.order_by("source_file", "source_row").limit(SAMPLE))
    filled = [name for name in sample.column_names if sample.column(name).null_count < len(sample)]
    first = [name for name in ("source_file", "source_row", "rule") if name in filled]
    return counts, sample.select([*first, *(name for name in filled if name not in first)])


def _empty() -> pa.Table:
    names = ("rule", "severity", "table", "column", "source_file", "value", "message")
    return pa.table({name: pa.array([], pa.string()) for name in names} | {
        "source_row": pa.array([], pa.int64())
    })  # fmt: skip
