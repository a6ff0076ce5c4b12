"""Phase 0: sales logs to a checked star, step by step.

    sources -> staging -> typed lines -> contract -> facts -> dimensions -> commit

The curated tables change only when the contract holds (or ``fail_soft``); otherwise the
last good star stays as it was and the violations and the quarantine tell why.

Reading the files needs no engine. What does, and the engine itself, is imported meanwhile.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from gosales.artifacts import is_current
from gosales.checksum import file_sha256
from gosales.engine import Engine
from gosales.errors import ContractBreach
from gosales.etl.finding import Finding
from gosales.etl.layout import Layout, align, find_layout, missing_columns
from gosales.etl.sku_map import SkuMap, load_sku_map
from gosales.etl.sources import Sources, enrichment_files, find_sources
from gosales.etl.staging import stage_sources, union_columns
from gosales.etl.star import SCHEMA_VERSION
from gosales.etl.star_report import StarReport
from gosales.run import Run

__all__ = ["StarReport", "build_star"]


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
    with (
        tempfile.TemporaryDirectory(dir=run.workspace.scratch) as folder,
        ThreadPoolExecutor(1) as beside,
    ):
        imported = beside.submit(_import_stages, run.engine)
        with run.step("staging") as step:
            products = () if staging_only else layout.products
            staged = stage_sources(sources.good, Path(folder), step, products)
        faults += [_file_fault(text) for text in staged.faults]
        _stop_on_faults(run, faults, lenient or staging_only)
        if not staged.read:
            names = ", ".join(source.name for source in sources.good)
            fault = Finding("no_rows", "", "", f"{names}: a header and no rows", "error", names)
            _stop_on_faults(run, [fault], lenient=False)
        imported.result()
        from gosales.etl.curate import curate
        from gosales.etl.write_star import write_staging, write_star

        if staging_only:
            write_staging(run, staged)
            return StarReport(built=False, rows_read=staged.read)
        curated = curate(run, staged, layout, sku_map, faults, lenient)
        return write_star(run, staged, curated, key)


def _import_stages(engine: Engine) -> None:
    """One thread imports all that needs the engine, in this order: two would wait for each
    other's modules."""
    _ = engine.backend
    importlib.import_module("gosales.etl.curate")
    importlib.import_module("gosales.etl.write_star")


def _write_checks(run: Run, faults: list[Finding]) -> None:
    from gosales.etl.report import write_checks

    write_checks(run, faults)


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
        _write_checks(run, [*faults, fault])
        raise
    good = align(layout, good, settings)
    layout = find_layout(list(union_columns(good).values()), settings, sku_map)
    for source in good:
        for note in source.notes:
            run.warn(note)
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
    _write_checks(run, faults)
    raise ContractBreach(
        "\n".join(fault.message for fault in faults),
        "Correct the log or name its columns in etl.source_columns; --fail-soft leaves bad files "
        "out. The last good star is as it was.",
    )


if __name__ == "__main__":
    from gosales.cli import run_command

    run_command("star")
