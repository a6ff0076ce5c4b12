"""What may be wrong with a log as a whole: warnings with counts, none of which stops a run."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from gosales.engine import Engine
from gosales.etl.dates import DateOrder
from gosales.etl.layout import Layout
from gosales.etl.lines import unmapped_profit
from gosales.settings import EtlSettings

__all__ = ["Finding", "date_findings", "fact_findings", "layout_findings", "line_findings"]

MOST = 20


@dataclass(frozen=True)
class Finding:
    """A violation of the log or of a table as a whole (``source_file`` where it is one file's)."""

    rule: str
    column: str
    value: str
    message: str
    severity: str = "warning"
    source_file: str = ""


def layout_findings(
    engine: Engine, staged: ir.Table, layout: Layout, settings: EtlSettings
) -> list[Finding]:
    """Columns without a meaning, and columns that look like products nobody mapped."""
    allowed = settings.allow_unknown_columns
    if allowed == "auto":
        allowed = layout.kind == "long"
    findings = []
    for column in layout.unknown:
        if column.startswith("unnamed_") and not engine.scalar(staged[column].count()):
            continue
        remedy = (
            "it is not used"
            if allowed
            else "map it in etl.source_columns or the SKU map, "
            "or set etl.allow_unknown_columns: true"
        )
        findings.append(
            Finding(
                "unknown_column",
                column,
                "",
                f"the {layout.kind} log's column '{column}' has no known meaning: {remedy}",
                "warning" if allowed else "error",
            )
        )
    for column, value in unmapped_profit(engine, staged, layout, settings).items():
        findings.append(
            Finding(
                "unmapped_product",
                column,
                str(value),
                f"'{column}' has a column of units but is not in the SKU map: "
                f"its gross profit of {value:,.2f} is left out; add it to the SKU map overrides",
            )
        )
    if (
        layout.kind == "long"
        and "gross_profit" not in layout.fields
        and "cogs" not in layout.fields
    ):
        message = (
            f"there is no gross profit and no cost: '{layout.fields['revenue']}' is taken as profit"
        )
        findings.append(Finding("revenue_as_profit", layout.fields["revenue"], "", message))
    return findings


def date_findings(order: DateOrder, column: str, settings: EtlSettings) -> list[Finding]:
    """Dates such as 03/05/2024 that could be read two ways."""
    if settings.date_order != "auto" or not order.ambiguous:
        return []
    name = {"mdy": "month first", "dmy": "day first"}[order.order]
    if order.month_first and order.day_first:
        why = f"some dates have only one reading as month first, others as day first; read {name}"
    elif not order.month_first and not order.day_first:
        why = f"{order.ambiguous} dates such as 03/05/2024 could be read two ways; read {name}"
    else:
        return []
    return [Finding("ambiguous_dates", column, "", f"{why}; set etl.date_order to be sure")]


def line_findings(engine: Engine, lines: ir.Table, layout: Layout) -> list[Finding]:
    """Counts over the good lines: divisions at odds with the map, blank amounts, currencies."""
    at_odds = (
        lines.map_division.notnull()
        & lines.own_canonical.notnull()
        & (lines.map_division != lines.own_canonical)
    )
    counts = engine.to_arrow(
        lines.aggregate(
            at_odds=at_odds.sum().fill_null(0),
            blank=lines.blank_amount.sum().fill_null(0),
            currencies=lines.currency.upper().nunique(),
        )
    ).to_pylist()[0]
    findings = []
    if counts["at_odds"]:
        column = layout.fields.get("product_division", "product_division")
        message = (
            f"{int(counts['at_odds']):,} lines say another division than the SKU map; the map wins"
        )
        findings.append(Finding("division_conflict", column, str(counts["at_odds"]), message))
    if counts["blank"]:
        message = f"{int(counts['blank']):,} lines have no amount; they count as zero"
        findings.append(Finding("blank_amount", "gross_profit", str(counts["blank"]), message))
    if counts["currencies"] > 1:
        message = f"the log has {counts['currencies']} currencies; amounts are added as they stand"
        findings.append(
            Finding(
                "many_currencies", layout.fields["currency"], str(counts["currencies"]), message
            )
        )
    return findings


def fact_findings(
    engine: Engine, facts: ir.Table, staged: ir.Table, columns: tuple[str, ...], names: ir.Table
) -> list[Finding]:
    """Duplicate source rows (kept), products in two divisions, divisions spelt several ways."""
    findings = []
    twins = facts.filter(facts.transaction_id.contains("-"))
    if engine.scalar(twins.count()):
        content = facts.transaction_id.re_replace("-[0-9]+$", "")
        keyed = facts.select("row_id", content=content)
        repeated = twins.select(content=twins.transaction_id.re_replace("-[0-9]+$", "")).distinct()
        rows = staged.semi_join(keyed.semi_join(repeated, "content"), "row_id")
        groups = rows.group_by([rows[c] for c in columns]).agg(n=ibis._.count())
        extra = engine.scalar(groups.filter(groups.n > 1).n.sum().fill_null(0)) - engine.scalar(
            (groups.n > 1).sum().fill_null(0)
        )
        if extra:
            message = f"{int(extra):,} source rows repeat another row in every cell; all are kept"
            findings.append(Finding("duplicate_row", "", str(int(extra)), message))
    findings += _split_products(engine, facts)
    spelt = names.group_by("canonical").agg(n=ibis._.count(), least=names.own.min())
    for row in engine.to_arrow(spelt.filter(spelt.n > 1).order_by("canonical")).to_pylist():
        message = f"division '{row['canonical']}' is written in {row['n']} ways; they are one"
        findings.append(Finding("division_spelling", "product_division", row["least"], message))
    return findings


def _split_products(engine: Engine, facts: ir.Table) -> list[Finding]:
    pairs = facts.group_by("product_sku", "product_division").agg(lines=ibis._.count())
    spread = pairs.group_by("product_sku").agg(
        divisions=ibis._.count(), lines=pairs.lines.sum(), most=pairs.lines.max()
    )
    split = engine.to_arrow(spread.filter(spread.divisions > 1).order_by("product_sku")).to_pylist()
    shown = [
        Finding(
            "product_in_divisions",
            "product_division",
            row["product_sku"],
            f"product '{row['product_sku']}' is in {row['divisions']} divisions "
            f"({row['lines'] - row['most']} of {row['lines']} lines are not in the commonest); "
            "each line keeps its own; the SKU map can overrule both",
        )
        for row in split[:MOST]
    ]
    if len(split) > MOST:
        text = f"{len(split) - MOST} more products are in several divisions"
        shown.append(Finding("product_in_divisions", "product_division", "", text))
    return shown
