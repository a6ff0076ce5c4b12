"""Writes the star and what is told about it, all together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from gosales.checksum import content_sha256, parquet_batches
from gosales.etl.curate import Curated
from gosales.etl.facts import FACT_COLUMNS, LINEAGE
from gosales.etl.finding import Finding
from gosales.etl.qa import column_profile, schema_changes, schema_snapshot
from gosales.etl.report import write_checks
from gosales.etl.staging import StagedLog
from gosales.etl.star_report import StarReport, report_of
from gosales.run import Run

__all__ = ["write_staging", "write_star"]


def write_staging(run: Run, staged: StagedLog) -> None:
    """The staged rows and their profile alone, without a star."""
    table = run.engine.read_parquet(staged.table)
    with run.step("column profile"):
        profile = column_profile(run.engine, table)
    with run.commit("staging") as change:
        change.csv(profile, run.workspace.qa("column_profile.csv"))
        change.adopt(staged.table, run.workspace.staging, rows=staged.rows)


def write_star(run: Run, staged: StagedLog, curated: Curated, key: str) -> StarReport:
    place, engine = run.workspace, run.engine
    raw = engine.read_parquet(staged.table)
    order = {
        "fact_transactions": (curated.facts, ["customer_id", "order_date", "transaction_id"]),
        "dim_customer": (curated.customers, ["customer_id"]),
        "dim_product": (curated.products, ["product_sku"]),
        "dim_date": (curated.dates, ["date"]),
    }
    paths = {
        "fact_transactions": place.fact,
        **{f"dim_{name}": place.dim(name) for name in ("customer", "product", "date")},
    }
    with run.step("column profile"):
        profile = column_profile(engine, raw)
    with (
        run.step("write the star") as step,
        run.commit("star") as change,
        ThreadPoolExecutor(1) as beside,
    ):
        change.key = key
        sums, tables = {}, {}
        for name, (table, keys) in order.items():
            if name == "fact_transactions":
                table = table.select(*FACT_COLUMNS)
            written = change.table(engine, table.order_by(keys), paths[name])
            columns = [c for c in table.columns if c not in LINEAGE]
            # A table's content is read back and hashed while the next ones are written.
            sums[name] = beside.submit(content_sha256, parquet_batches(written, columns))
            tables[name] = engine.read_parquet(written)
            curated.accounting.tables[name] = change.rows(paths[name])
        curated.accounting.check()
        snapshot = schema_snapshot(tables, staged.columns)
        changes = [
            Finding("schema_change", "", "", text) for text in schema_changes(place, snapshot)
        ]
        for finding in changes:
            run.warn(finding.message)
        write_checks(run, curated.findings + changes, curated, change)
        report = report_of(curated)
        change.csv(profile, place.qa("column_profile.csv"))
        change.json(snapshot, place.qa("schema_snapshot.json"))
        checksums = {name: found.result() for name, found in sums.items()}
        change.json(checksums, place.qa("checksums.json"))
        change.json(curated.about | {"report": asdict(report)}, place.star_facts)
        change.adopt(staged.table, place.staging, rows=staged.rows)
        step.rows = report.transactions
    return report
