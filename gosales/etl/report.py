"""Writes what the contract found: violations.csv, the quarantine and the row counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.artifacts import Commit
from gosales.etl.contracts import RULES, VIOLATION_COLUMNS, misfit_rule
from gosales.etl.finding import Finding
from gosales.run import Run

if TYPE_CHECKING:
    from gosales.etl.verdict import Checked

__all__ = ["write_checks"]

TABLE = "sales_log"
MESSAGES = {rule.name: (rule.column, rule.message) for rule in RULES} | {
    "duplicate_key": ("", "another row has the same unique key (etl.unique_keys)")
}
SCHEMA = pa.schema(
    [pa.field(c, pa.int64() if c == "source_row" else pa.string()) for c in VIOLATION_COLUMNS]
)


def write_checks(
    run: Run, findings: list[Finding], checked: Checked | None = None, change: Commit | None = None
) -> None:
    """Write the checks with the star's commit, or in one of their own when there is no star."""
    with _commit(run, change) as target:
        target.csv(_violations(run, findings, checked), run.workspace.violations)
        if checked is not None:
            target.table(run.engine, _quarantine(checked), run.workspace.quarantine(TABLE))
            target.csv(checked.accounting.table(), run.workspace.qa("row_counts.csv"))


@contextmanager
def _commit(run: Run, change: Commit | None) -> Iterator[Commit]:
    if change is not None:
        yield change
        return
    with run.commit("checks") as own:
        yield own


def _violations(run: Run, findings: list[Finding], checked: Checked | None) -> pa.Table:
    """Errors row by row, at most ``etl.max_violation_rows``, then findings on the whole log."""
    rows: list[dict[str, Any]] = []
    if checked is not None:
        most = run.settings.etl.max_violation_rows
        ordered = checked.violations.order_by("source_file", "source_row", "order").limit(most)
        for row in run.engine.to_arrow(ordered).to_pylist():
            column, message = MESSAGES[row["rule"]]
            rows.append(_row(row, row["rule"], column, row["value"], message))
        misfits = checked.misfits.order_by("source_file", "source_row").limit(most)
        for row in run.engine.to_arrow(misfits).to_pylist():
            message = misfit_rule(row["cells"], row["expected"])
            rows.append(_row(row, "row_shape", "", row["raw_line"][:200], message))
        rows = sorted(rows, key=lambda r: (r["source_file"], r["source_row"]))[:most]
    for finding in findings:
        rows.append(
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "table": TABLE,
                "column": finding.column,
                "source_file": finding.source_file,
                "source_row": None,
                "value": finding.value,
                "message": finding.message,
            }
        )
    return pa.Table.from_pylist(rows, SCHEMA)


def _row(
    origin: dict[str, Any], rule: str, column: str, value: str, message: str
) -> dict[str, Any]:
    return {
        "rule": rule,
        "severity": "error",
        "table": TABLE,
        "column": column,
        "source_file": origin["source_file"],
        "source_row": origin["source_row"],
        "value": value,
        "message": message,
    }


def _quarantine(checked: Checked) -> ir.Table:
    """Raw cells of every row that was set aside, with the rule, sorted by origin."""
    marked = ibis.union(
        checked.rejected.select("row_id", "rule", severity=ibis.literal("error")),
        checked.aside.select("row_id", "rule", severity=ibis.literal("warning")),
    )
    raw = checked.staged.inner_join(marked, "row_id").select(
        *checked.columns,
        "rule",
        "severity",
        "source_file",
        "source_row",
        raw_line=ibis.null("string"),
    )
    misfits = checked.misfits.select(
        **{name: ibis.null("string") for name in checked.columns},
        rule=ibis.literal("row_shape"),
        severity=ibis.literal("error"),
        source_file=checked.misfits.source_file,
        source_row=checked.misfits.source_row,
        raw_line=checked.misfits.raw_line,
    )
    both = ibis.union(raw, misfits.select(*raw.columns))
    return both.order_by("source_file", "source_row", "rule")
