"""What may be wrong with a log as a whole: warnings with counts, none of which stops a run."""

from __future__ import annotations

from statistics import median
from typing import Any

import ibis
import ibis.expr.types as ir
from rapidfuzz import fuzz
from rapidfuzz.process import extractOne

from gosales.engine import Engine
from gosales.etl.dates import DateOrder
from gosales.etl.finding import Finding
from gosales.etl.layout import Layout
from gosales.etl.lines import unmapped_profit
from gosales.etl.normalize import folded_id
from gosales.settings import EtlSettings

__all__ = [
    "alike_customers",
    "date_findings",
    "empty_months",
    "layout_findings",
    "line_findings",
    "near_divisions",
    "repeated_rows",
    "spelling_findings",
    "split_products",
]

MOST = 20
# A division of far fewer lines than one of nearly its name may be a slip of the pen.
MANY_TIMES, NEAR = 20, 85
# So many lines in half of the months: then one without any is odd.
BUSY = 20


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
    if layout.id_from_name:
        name = layout.fields["customer_id"]
        message = f"there is no customer id: '{name}' is taken for it"
        findings.append(Finding("name_as_id", name, "", message))
    return findings + _money_findings(layout)


def _money_findings(layout: Layout) -> list[Finding]:
    """What stands for an amount that the log does not have."""
    if layout.kind == "wide":
        return []
    findings = []
    revenue = layout.fields.get("revenue", "")
    if price := layout.fields.get("unit_price"):
        revenue = price
        units = f"'{layout.fields['quantity']}'" if "quantity" in layout.fields else "one unit"
        message = f"there is no amount: {units} times '{price}' is taken as revenue"
        findings.append(Finding("price_as_revenue", price, "", message))
    if layout.fields.keys().isdisjoint(("gross_profit", "cogs")):
        what = "the revenue" if "unit_price" in layout.fields else f"'{revenue}'"
        message = f"there is no gross profit and no cost: {what} is taken as profit"
        findings.append(Finding("revenue_as_profit", revenue, "", message))
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


def line_findings(totals: dict[str, Any], layout: Layout) -> list[Finding]:
    """Counts over the good lines (``rows``, ``gains``, ``at_odds``, ``blank``, ``currencies``):
    divisions at odds with the map, blank amounts, no profit, several currencies."""
    findings = []
    if at_odds := totals["at_odds"]:
        column = layout.fields.get("product_division", "product_division")
        message = f"{at_odds:,} lines say another division than the SKU map; the map wins"
        findings.append(Finding("division_conflict", column, str(at_odds), message))
    if blank := totals["blank"]:
        message = f"{blank:,} lines have no amount; they count as zero"
        findings.append(Finding("blank_amount", "gross_profit", str(blank), message))
    if totals["rows"] and not totals["gains"]:
        message = "no line has a gross profit above zero, so nobody counts as a buyer"
        findings.append(Finding("no_profit", "gross_profit", "", message))
    if totals["currencies"] > 1:
        message = f"the log has {totals['currencies']} currencies; amounts are added as they stand"
        findings.append(
            Finding(
                "many_currencies", layout.fields["currency"], str(totals["currencies"]), message
            )
        )
    return findings


def repeated_rows(
    engine: Engine, staged: ir.Table, twins: ir.Table, columns: tuple[str, ...]
) -> list[Finding]:
    """Source rows that say what another says in every cell; ``twins``: lines that say the same."""
    rows = engine.cache(staged.semi_join(twins, "row_id").select(*columns))
    extra = engine.scalar(rows.count()) - engine.scalar(rows.distinct().count())
    message = f"{extra:,} source rows repeat another row in every cell; all are kept"
    return [Finding("duplicate_row", "", str(extra), message)] if extra else []


def spelling_findings(spellings: dict[str, list[str]]) -> list[Finding]:
    """Divisions that are written in several ways."""
    return [
        Finding(
            "division_spelling",
            "product_division",
            min(written),
            f"division '{name}' is written in {len(written)} ways; they are one",
        )
        for name, written in sorted(spellings.items())
        if len(written) > 1
    ]


def near_divisions(engine: Engine, pairs: ir.Table) -> list[Finding]:
    """Divisions of few lines whose names are nearly another's, as ``split_products`` gets them."""
    counted = pairs.group_by("product_division").agg(lines=pairs.lines.sum())
    rows = engine.to_arrow(counted).to_pylist()
    lines = {row["product_division"]: row["lines"] for row in rows}
    findings = []
    for name in sorted(lines):
        large = sorted(other for other in lines if lines[other] >= MANY_TIMES * lines[name])
        near = extractOne(name, large, scorer=fuzz.ratio, processor=str.lower, score_cutoff=NEAR)
        if near and _digits(name) == _digits(near[0]):
            message = (
                f"division '{name}' ({lines[name]:,} lines) is nearly '{near[0]}' "
                f"({lines[near[0]]:,}); if they are one, correct the log or give the product's "
                "division in the SKU map overrides"
            )
            findings.append(Finding("division_near", "product_division", name, message))
    return findings


def _digits(name: str) -> str:
    """Series 1 and Series 2 are two."""
    return "".join(one for one in name if one.isdigit())


def empty_months(engine: Engine, good: ir.Table) -> list[Finding]:
    """Months without an order in a log that is otherwise busy: is an export missing?"""
    months = good.group_by(month=good.order_date.truncate("M")).agg(lines=ibis._.count())
    rows = engine.to_arrow(months).to_pylist()
    if not rows or median(row["lines"] for row in rows) < BUSY:
        return []
    there = {(row["month"].year, row["month"].month) for row in rows}
    (year, month), last = min(there), max(there)
    empty = []
    while (year, month) < last:
        if (year, month) not in there:
            empty.append(f"{year}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    if not empty:
        return []
    shown = ", ".join(empty[:MOST]) + (", ..." if len(empty) > MOST else "")
    message = f"no order in {len(empty)} months between others ({shown}): is an export missing?"
    return [Finding("empty_months", "order_date", empty[0], message)]


def alike_customers(engine: Engine, customers: ir.Table) -> list[Finding]:
    """Ids that are one but for letter case and leading zeros (two systems' ways to write them?),
    and ids such as 1.23457E+11, in which a spreadsheet has lost digits."""
    folded = folded_id(customers.customer_id)
    rounded = customers.customer_id.re_search(r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$")
    counts = customers.aggregate(
        ids=customers.count(), folded=folded.nunique(), rounded=rounded.sum().fill_null(0)
    )
    (row,) = engine.to_arrow(counts).to_pylist()
    findings = []
    if row["ids"] != row["folded"]:
        message = (
            f"the {row['ids']:,} customer ids are {row['folded']:,} but for letter case and "
            "leading zeros; they are kept apart"
        )
        findings.append(Finding("customer_id_spelling", "customer_id", str(row["ids"]), message))
    if row["rounded"]:
        message = (
            f"{row['rounded']:,} customer ids are numbers that a spreadsheet rounded, such as "
            "1.23E+11: each may stand for several customers; export them as text"
        )
        findings.append(Finding("customer_id_rounded", "customer_id", str(row["rounded"]), message))
    return findings


def split_products(engine: Engine, pairs: ir.Table) -> list[Finding]:
    """Products in several divisions; ``pairs``: product_sku, product_division, lines."""
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
