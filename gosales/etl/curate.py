"""From a staged log to the tables of the star and everything that is told about it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from gosales.engine import Engine
from gosales.errors import ConfigError, ContractBreach
from gosales.etl.checks import (
    alike_customers,
    date_findings,
    empty_months,
    layout_findings,
    line_findings,
    near_divisions,
    repeated_rows,
    spelling_findings,
    split_products,
)
from gosales.etl.contracts import RULES, find_violations, first_rules
from gosales.etl.dimensions import customer_base, date_dimension, product_dimension
from gosales.etl.enrich import enrich
from gosales.etl.facts import FACT_COLUMNS, LINEAGE, duplicate_keys, key_lines, with_content
from gosales.etl.finding import Finding
from gosales.etl.layout import Layout
from gosales.etl.lines import blank_rows, read_lines
from gosales.etl.lookups import read_lookups
from gosales.etl.qa import Accounting
from gosales.etl.report import write_checks
from gosales.etl.sku_map import SkuMap
from gosales.etl.sources import enrichment_files
from gosales.etl.staging import StagedLog
from gosales.etl.star import SCHEMA_VERSION
from gosales.etl.verdict import Checked, judge, warn
from gosales.run import Run
from gosales.workspace import slug

__all__ = ["Curated", "curate"]

# Later stages add up amounts in the type that they are kept in.
SUMMED = ("quantity", "revenue", "gross_profit")
LARGEST = 10**14


@dataclass
class Curated(Checked):
    facts: ir.Table
    customers: ir.Table
    products: ir.Table
    dates: ir.Table
    about: dict[str, Any]
    money_curated: Decimal
    money_quarantined: Decimal


def curate(
    run: Run,
    log: StagedLog,
    layout: Layout,
    sku_map: SkuMap,
    faults: list[Finding],
    lenient: bool,
) -> Curated:
    """Raises ContractBreach, after writing violations and quarantine, unless ``lenient``."""
    engine, settings = run.engine, run.settings.etl
    _check_unique_keys(settings.unique_keys)
    everything = engine.read_parquet(log.table)
    findings = faults + layout_findings(engine, everything, layout, settings)
    with run.step("read the cells") as step:
        blank = blank_rows(engine, everything, layout, log.columns)
        staged = everything
        if engine.scalar(blank.count()):
            staged = everything.anti_join(blank, "row_id")
        lookups = read_lookups(engine, everything, layout, sku_map, settings)
        findings += date_findings(lookups.order, layout.fields["order_date"], settings)
        cells = engine.read_parquet(*log.cells)
        read = read_lines(engine, staged, cells, lookups, layout, settings)
        lines = engine.cache(with_content(read), ordered=False)
        step.rows = engine.scalar(lines.count())
    with run.step("check the contract"):
        broken = engine.cache(find_violations(engine, lines, RULES, settings, run.today))
        good = _without(engine, lines, broken)
        facts, twins = key_lines(engine, good)
        if settings.unique_keys:
            doubled = engine.cache(_duplicates(engine.cache(facts), settings.unique_keys))
            broken = engine.cache(broken.union(doubled))
            good, facts, twins = (_without(engine, t, broken) for t in (lines, facts, twins))
        totals = _totals(engine, good)
        findings += line_findings(totals, layout)
        if engine.scalar(twins.count()):
            findings += repeated_rows(engine, staged, twins, log.columns)
        pairs = engine.cache(_pairs(good))
        findings += split_products(engine, pairs)
        findings += near_divisions(engine, pairs)
        findings += empty_months(engine, good)
        findings += spelling_findings(lookups.spellings)
        rejected = engine.cache(first_rules(broken))
        aside = _set_aside(run, staged, lines, blank, layout)
        checked = Checked(
            everything,
            engine.read_parquet(log.misfits),
            log.columns,
            broken,
            rejected,
            aside,
            findings,
            _account(run, log, rejected, aside, good, step.rows, layout),
        )
    judge(run, checked, layout, lenient)
    with run.step("dimensions"):
        money = engine.scalar(lines.gross_profit.sum().fill_null(0))
        return _curated(run, checked, facts, good, pairs, totals, money, layout)


def _without(engine: Engine, lines: ir.Table, broken: ir.Table) -> ir.Table:
    """The lines of rows that break no rule."""
    if not engine.scalar(broken.count()):
        return lines
    return lines.anti_join(broken, "row_id")


def _totals(engine: Engine, good: ir.Table) -> dict[str, Any]:
    """What there is to say about all good lines together."""
    found = good.aggregate(
        rows=good.count(),
        at_odds=good.at_odds.sum().fill_null(0).cast("int64"),
        gains=(good.gross_profit > 0).sum().fill_null(0).cast("int64"),
        blank=good.blank_amount.sum().fill_null(0).cast("int64"),
        currencies=good.currency.upper().nunique(),
        invoices=good.invoice_id.count(),
        first=good.order_date.min(),
        last=good.order_date.max(),
        money=good.gross_profit.sum(),
        **{f"most_{name}": good[name].abs().sum() for name in SUMMED},
    )
    totals: dict[str, Any] = engine.to_arrow(found).to_pylist()[0]
    return totals


def _pairs(good: ir.Table) -> ir.Table:
    """The divisions of each product."""
    return good.group_by("product_sku", "product_division").agg(
        lines=ibis._.count(), first_sold=good.order_date.min(), last_sold=good.order_date.max()
    )


def _check_unique_keys(keys: list[str]) -> None:
    unknown = [key for key in keys if key not in FACT_COLUMNS or key in LINEAGE]
    if unknown:
        raise ConfigError(
            f"etl.unique_keys: {', '.join(unknown)} is no column of fact_transactions.",
            f"The columns are: {', '.join(FACT_COLUMNS)}.",
        )


def _duplicates(facts: ir.Table, keys: list[str]) -> ir.Table:
    """Violations of the declared unique key, one a source row."""
    found = duplicate_keys(facts, keys)
    rows = found.group_by("row_id", *LINEAGE).agg(value=found.value.min())
    return rows.select(
        "row_id",
        *LINEAGE,
        rule=ibis.literal("duplicate_key"),
        order=ibis.literal(len(RULES), type="int64"),
        value=rows.value,
    )


def _set_aside(
    run: Run, staged: ir.Table, lines: ir.Table, blank: ir.Table, layout: Layout
) -> ir.Table:
    """Rows that say nothing: blank ones, and wide rows without any amount."""
    parts = [blank.mutate(rule=ibis.literal("blank_row"))]
    if layout.kind == "wide":
        empty = staged.select("row_id", *LINEAGE).anti_join(lines, "row_id")
        parts.append(empty.mutate(rule=ibis.literal("empty_document")))
    return run.engine.cache(ibis.union(*parts) if len(parts) > 1 else parts[0])


def _account(
    run: Run,
    log: StagedLog,
    rejected: ir.Table,
    aside: ir.Table,
    good: ir.Table,
    lines: int,
    layout: Layout,
) -> Accounting:
    engine = run.engine
    rows = good.row_id.nunique() if layout.kind == "wide" else good.count()
    curated = good.group_by("source_file").agg(n=rows)
    counts = Accounting(
        read={file.name: file.staged + file.misfits for file in log.files},
        curated={r["source_file"]: r["n"] for r in engine.to_arrow(curated).to_pylist()},
        rejected={(f.name, "row_shape"): f.misfits for f in log.files if f.misfits},
    )
    for table, into in ((rejected, counts.rejected), (aside, counts.aside)):
        grouped = table.group_by("source_file", "rule").agg(n=ibis._.count())
        for row in engine.to_arrow(grouped.order_by("source_file", "rule")).to_pylist():
            into[row["source_file"], row["rule"]] = row["n"]
    if layout.kind == "wide":
        cells = sum(file.staged for file in log.files) * len(layout.products)
        counts.empty_cells = cells - lines
    return counts


def _curated(
    run: Run,
    checked: Checked,
    facts: ir.Table,
    good: ir.Table,
    pairs: ir.Table,
    totals: dict[str, Any],
    money: Decimal,
    layout: Layout,
) -> Curated:
    engine = run.engine
    if not totals["rows"]:
        write_checks(run, checked.findings, checked)
        raise ContractBreach("No row of the log is good.", "See violations.csv for the reasons.")
    for name in SUMMED:
        if (most := totals[f"most_{name}"] or 0) >= LARGEST:
            column = layout.fields.get(name, name)
            message = f"'{column}' adds up to {most:,.0f}, more than can be kept"
            finding = Finding("total_too_large", column, str(most), message, "error")
            write_checks(run, [*checked.findings, finding], checked)
            raise ContractBreach(
                f"{message}.", "Is it the right column? If it is, give the amounts in thousands."
            )
    named = good.group_by("customer_id", "customer_name").agg(n=ibis._.count())
    described = good.group_by("product_sku", "description").agg(n=ibis._.count())
    customers = engine.cache(customer_base(good, named))
    alike = alike_customers(engine, customers)
    checked.findings += alike
    warn(run, alike)
    customers = enrich(run, customers, enrichment_files(run.workspace, run.settings.etl))
    return Curated(
        **{name: getattr(checked, name) for name in Checked.__dataclass_fields__},
        facts=facts,
        customers=customers,
        products=product_dimension(pairs, described),
        dates=date_dimension(engine, totals["first"], totals["last"]),
        about={
            "schema_version": SCHEMA_VERSION,
            "layout": layout.kind,
            "divisions": _divisions(run, pairs, checked),
            "has_invoices": totals["invoices"] > 0,
            "first_order": totals["first"].isoformat(),
            "last_order": totals["last"].isoformat(),
            "customers": engine.scalar(customers.count()),
            "transactions": totals["rows"],
        },
        money_curated=totals["money"],
        money_quarantined=money - totals["money"],
    )


def _divisions(run: Run, pairs: ir.Table, checked: Checked) -> list[str]:
    """The star's divisions; two that would share a file name are a breach."""
    table = run.engine.to_arrow(pairs.select("product_division").distinct())
    names = sorted(table.column(0).to_pylist())
    by_slug: dict[str, str] = {}
    for name in names:
        other = by_slug.setdefault(slug(name), name)
        if other != name:
            message = f"divisions '{other}' and '{name}' would share the file name '{slug(name)}'"
            finding = Finding("division_file_name", "product_division", name, message, "error")
            write_checks(run, [*checked.findings, finding], checked)
            raise ContractBreach(
                f"{message}.", "Rename one: in the log, or by products in the SKU map overrides."
            )
    return names
