"""Does the contract hold? What the run says of a log that was checked, and when it stops."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from gosales.errors import ContractBreach
from gosales.etl.finding import Finding
from gosales.etl.layout import Layout
from gosales.etl.qa import Accounting
from gosales.etl.report import write_checks
from gosales.run import Run

__all__ = ["Checked", "judge", "warn"]


@dataclass
class Checked:
    """``violations``: broken (row, rule) pairs; ``rejected``/``aside``: row_id, rule and origin."""

    staged: ir.Table
    misfits: ir.Table
    columns: tuple[str, ...]
    violations: ir.Table
    rejected: ir.Table
    aside: ir.Table
    findings: list[Finding]
    accounting: Accounting


def judge(run: Run, checked: Checked, layout: Layout, lenient: bool) -> None:
    """Tell the warnings; raise ContractBreach, after writing violations and quarantine, when more
    rows break the contract than the settings allow, unless ``lenient``."""
    settings, counts = run.settings.etl, checked.accounting
    warn(run, checked.findings)
    errors = [finding for finding in checked.findings if finding.severity == "error"]
    rate = counts.total_rejected / max(counts.total_read, 1)
    columns = [finding.message for finding in errors if finding.rule == "unknown_column"]
    if lenient or (rate <= settings.max_violation_rate and not errors):
        for text in columns:
            run.warn(f"{text} (left out).")
        return
    write_checks(run, checked.findings, checked)
    said = columns[:]
    if counts.total_rejected:
        rules = ", ".join(f"{n:,} {rule}" for rule, n in _rejected_by_rule(counts).items())
        said.insert(
            0,
            f"{counts.total_rejected:,} of {counts.total_read:,} rows break the contract "
            f"({rules}); {counts.total_read - counts.total_rejected:,} rows are good. "
            f"First: {_first_violation(run, checked)}",
        )
    raise ContractBreach(
        "\n".join(said),
        f"{_advice(run, checked, layout)}Each is in gosales/outputs/contracts/violations.csv and "
        "the quarantine table. Correct the log, or curate the good rows with --fail-soft. The last "
        "good star is as it was.",
    )


def warn(run: Run, findings: list[Finding]) -> None:
    """Columns without a meaning in one line, everything else by itself."""
    warnings = [finding for finding in findings if finding.severity == "warning"]
    unknown = [repr(f.column) for f in warnings if f.rule == "unknown_column"]
    if unknown:
        run.warn(f"columns that have no known meaning are not used: {', '.join(unknown)}.")
    for finding in warnings:
        if finding.rule != "unknown_column":
            run.warn(f"{finding.message}.")


def _advice(run: Run, checked: Checked, layout: Layout) -> str:
    """What to set when one setting is why most rows break the contract."""
    broken = _rejected_by_rule(checked.accounting)
    advice = ""
    if "null_division" in broken and "product_division" not in layout.fields:
        columns = ", ".join(layout.unknown)
        advice += (
            "No column is known to hold the division: name it in etl.source_columns "
            f"(product_division: one of {columns}), or give each product's division in the SKU "
            "map overrides.\n"
        )
    if not broken.keys().isdisjoint(("bad_amount", "bad_quantity")):
        mark = "," if run.settings.etl.decimal == "." else "."
        values = checked.violations.filter(ibis._.rule.isin(("bad_amount", "bad_quantity"))).value
        other = values.re_search(rf"\d[{mark}]\d{{1,2}}\D*$").sum().fill_null(0)
        if 2 * run.engine.scalar(other) > run.engine.scalar(values.count()):
            advice += f"Most of the amounts have '{mark}' before the decimals: set etl.decimal.\n"
    return advice


def _rejected_by_rule(counts: Accounting) -> dict[str, int]:
    rules: dict[str, int] = {}
    for (_, rule), number in sorted(counts.rejected.items()):
        rules[rule] = rules.get(rule, 0) + number
    return rules


def _first_violation(run: Run, checked: Checked) -> str:
    ordered = checked.violations.order_by("source_file", "source_row", "order").limit(1)
    for row in run.engine.to_arrow(ordered).to_pylist():
        return f"{row['source_file']}, row {row['source_row']}: {row['rule']} {row['value']!r}."
    for row in run.engine.to_arrow(checked.misfits.limit(1)).to_pylist():
        return (
            f"{row['source_file']}, row {row['source_row']}: {row['cells']} cells where the "
            f"header has {row['expected']}."
        )
    return "see violations.csv."
