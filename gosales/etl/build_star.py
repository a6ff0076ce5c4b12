"""Phase 0: sales logs to a checked star, step by step.

    sources -> staging -> typed lines -> contract -> facts -> dimensions -> commit

The curated tables change only when the contract holds (or ``fail_soft``); otherwise the
last good star stays as it was and the violations and the quarantine tell why.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from gosales.artifacts import is_current
from gosales.checksum import content_sha256, file_sha256, parquet_batches
from gosales.errors import ContractBreach
from gosales.etl.checks import Finding
from gosales.etl.curate import Curated, curate
from gosales.etl.facts import FACT_COLUMNS, LINEAGE
from gosales.etl.layout import Layout, find_layout, missing_columns
from gosales.etl.qa import column_profile, schema_changes, schema_snapshot
from gosales.etl.report import write_checks
from gosales.etl.sku_map import SkuMap, load_sku_map
from gosales.etl.sources import Sources, enrichment_files, find_sources
from gosales.etl.staging import StagedLog, stage_sources, union_columns
from gosales.etl.star import SCHEMA_VERSION
from gosales.run import Run

__all__ = ["StarReport", "build_star"]


@dataclass(frozen=True)
class StarReport:
    """What a run of Phase 0 did; row counts are source rows, money is gross profit."""

    built: bool
    rows_read: int = 0
    rows_curated: int = 0
    rows_quarantined: int = 0
    rows_set_aside: int = 0
    quarantined_by_rule: dict[str, int] = field(default_factory=dict)
    transactions: int = 0
    customers: int = 0
    divisions: tuple[str, ...] = ()
    money_read: Decimal = Decimal(0)
    money_curated: Decimal = Decimal(0)
    money_quarantined: Decimal = Decimal(0)


def build_star(
    run: Run, *, rebuild: bool = False, staging_only: bool = False, fail_soft: bool = False
) -> StarReport:
    """Build the star of the run's workspace.

    Raises ConfigError when there is no log, ContractBreach when the contract does not hold.
    """
    settings = run.settings.etl
    lenient = fail_soft or not settings.fail_on_contract_breach
    with run.step("look at the sources"):
        sources = find_sources(run.workspace, settings)
        sku_map = load_sku_map(run.workspace.resolve(settings.sku_map_overrides_csv))
        key = _fingerprint(run, sources, lenient)
    if not (rebuild or staging_only) and _unchanged(run, key):
        run.note("The input is unchanged; the star is as it was (--rebuild builds it anyway).")
        return StarReport(built=False, **_last_report(run))
    faults = [_file_fault(text) for text in sources.faults]
    sources, layout, faults = _agree(run, sources, sku_map, faults, lenient)
    run.workspace.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.workspace.scratch) as folder:
        with run.step("staging") as step:
            products = () if staging_only else layout.products
            staged = stage_sources(sources.good, Path(folder), step, products)
        faults += [_file_fault(text) for text in staged.faults]
        _stop_on_faults(run, faults, lenient or staging_only)
        if not staged.read:
            names = ", ".join(source.name for source in sources.good)
            fault = Finding("no_rows", "", "", f"{names}: a header and no rows", "error", names)
            _stop_on_faults(run, [fault], lenient=False)
        if staging_only:
            return _staging_only(run, staged)
        curated = curate(run, staged, layout, sku_map, faults, lenient)
        return _commit(run, staged, curated, key)


def _fingerprint(run: Run, sources: Sources, lenient: bool) -> str:
    """A hash of everything the star depends on."""
    settings = run.settings.etl
    files = [run.workspace.resolve(settings.sku_map_overrides_csv)]
    files += enrichment_files(run.workspace, settings)
    content = {
        "schema": SCHEMA_VERSION,
        "engine": run.engine.name,
        "settings": settings.model_dump(mode="json"),
        "sources": [(source.name, source.sha256) for source in sources.good],
        "faults": sources.faults,
        "lenient": lenient,
        "lookups": [(file.name, file_sha256(file)) for file in files if file.is_file()],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _unchanged(run: Run, key: str) -> bool:
    place = run.workspace
    tables = [place.fact, *(place.dim(name) for name in ("customer", "product", "date"))]
    return all(is_current(place, path, key) for path in [place.star_facts, *tables])


def _last_report(run: Run) -> dict[str, Any]:
    content = json.loads(run.workspace.star_facts.read_bytes())["report"]
    content["divisions"] = tuple(content["divisions"])
    del content["built"]
    return {k: Decimal(v) if k.startswith("money") else v for k, v in content.items()}


def _file_fault(text: str) -> Finding:
    name = text.split(":", 1)[0]
    return Finding("unreadable_file", "", "", text.replace("\n", " "), "error", name)


def _agree(
    run: Run, sources: Sources, sku_map: SkuMap, faults: list[Finding], lenient: bool
) -> tuple[Sources, Layout, list[Finding]]:
    """The layout that the readable sources share; a source that lacks columns is a fault."""
    for source in sources.good:
        for note in source.notes:
            run.warn(note)
    for name in sources.ignored:
        run.warn(f"{name}: not a log that GoSales reads; it is ignored.")
    settings = run.settings.etl
    good = sources.good
    if not good:
        _stop_on_faults(run, faults, lenient=False)
    try:
        layout = find_layout(list(union_columns(good).values()), settings, sku_map)
    except ContractBreach as breach:
        fault = Finding("required_column", "", "", str(breach).replace("\n", " "), "error")
        write_checks(run, [*faults, fault])
        raise
    missing = missing_columns(layout, good)
    if missing:
        faults = faults + [
            Finding("required_column", "", "", text, "error", name)
            for name, text in missing.items()
        ]
        good = tuple(source for source in good if source.name not in missing)
        _stop_on_faults(run, faults, lenient and bool(good))
        layout = find_layout(list(union_columns(good).values()), settings, sku_map)
    return Sources(good, sources.faults, sources.ignored), layout, faults


def _stop_on_faults(run: Run, faults: list[Finding], lenient: bool) -> None:
    """Whole files that cannot be used stop the run; with ``lenient`` they are left out."""
    if not faults:
        return
    if lenient:
        for fault in faults:
            run.warn(f"{fault.message} (left out)")
        return
    write_checks(run, faults)
    raise ContractBreach(
        "\n".join(fault.message for fault in faults),
        "Correct the log or name its columns in etl.source_columns; --fail-soft leaves bad files "
        "out. The last good star is as it was.",
    )


def _staging_only(run: Run, staged: StagedLog) -> StarReport:
    table = run.engine.read_parquet(staged.table)
    with run.step("column profile"):
        profile = column_profile(run.engine, table)
    rows = sum(file.staged for file in staged.files)
    with run.commit("staging") as change:
        change.csv(profile, run.workspace.qa("column_profile.csv"))
        change.adopt(staged.table, run.workspace.staging, rows=rows)
    return StarReport(built=False, rows_read=staged.read)


def _commit(run: Run, staged: StagedLog, curated: Curated, key: str) -> StarReport:
    """Write the star and what is told about it, all together."""
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
        report = _report(curated)
        change.csv(profile, place.qa("column_profile.csv"))
        change.json(snapshot, place.qa("schema_snapshot.json"))
        checksums = {name: found.result() for name, found in sums.items()}
        change.json(checksums, place.qa("checksums.json"))
        change.json(curated.about | {"report": asdict(report)}, place.star_facts)
        change.adopt(staged.table, place.staging, rows=sum(f.staged for f in staged.files))
        step.rows = report.transactions
    return report


def _report(curated: Curated) -> StarReport:
    counts = curated.accounting
    return StarReport(
        built=True,
        rows_read=counts.total_read,
        rows_curated=counts.total_curated,
        rows_quarantined=counts.total_rejected,
        rows_set_aside=counts.total_aside,
        quarantined_by_rule=counts.by_rule(),
        transactions=counts.tables["fact_transactions"],
        customers=counts.tables["dim_customer"],
        divisions=tuple(curated.about["divisions"]),
        money_read=curated.money_curated + curated.money_quarantined,
        money_curated=curated.money_curated,
        money_quarantined=curated.money_quarantined,
    )


if __name__ == "__main__":
    from gosales.cli import run_command

    run_command("star")
