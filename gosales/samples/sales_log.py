"""A simulated B2B reseller's sales log, with the truth about who will buy what.

A seeded simulator of a CAD and 3D-printing reseller from 2021 to 2024: customers with
industry, size and region who arrive, grow, renew every year, buy what goes with what
they own, return things and leave. `write_workspace` exports it as messily as real
systems do, and keeps apart what really happened and what was going to:

- ``truth.parquet``: for each quarter end from 2022-12-31 to 2024-06-30, each customer
  with an order by then and each division, the exact chance to buy within six months.
- ``lines.parquet``: the order lines as a faultless star would hold them.
- ``customers.parquet``: the customers with their hidden traits.
- ``faults.parquet``: the rows that cannot be read, if any were asked for.

The chances see all that is so at the cutoff, hidden traits and later shifts of demand
included: no model can be expected to do better.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gosales.samples.enrichment import enrichment_table
from gosales.samples.export import write_log
from gosales.samples.files import SampleFiles
from gosales.samples.simulation import Simulation, simulate
from gosales.samples.spec import SimulationSpec

__all__ = ["Simulation", "SimulationSpec", "simulate", "write_workspace"]


def write_workspace(spec: SimulationSpec, out: Path) -> SampleFiles:
    """Simulate and write log, enrichment and truth below ``out`` (replacing those there)."""
    data = out / "gosales" / "data"
    raw, lookup, truth = data / "raw", data / "lookup", data / "truth"
    for folder in (raw, lookup, truth):
        folder.mkdir(parents=True, exist_ok=True)
    simulation = simulate(spec)
    rows, duplicates, faults = write_log(simulation, raw / "Sales_Log.csv")
    pacsv.write_csv(enrichment_table(spec, simulation.people), lookup / "enrichment.csv")
    _write_parquet(simulation.truth_batches(), truth / "truth.parquet")
    _write_parquet(simulation.line_batches(), truth / "lines.parquet")
    _write_parquet([simulation.customers], truth / "customers.parquet")
    _write_parquet([faults], truth / "faults.parquet")
    return SampleFiles(
        paths=(
            raw / "Sales_Log.csv",
            lookup / "enrichment.csv",
            *(truth / f"{name}.parquet" for name in ("truth", "lines", "customers", "faults")),
        ),
        config={"etl": {"layout": "wide", "date_order": "mdy"}},
        notes=_notes(spec, duplicates, faults.num_rows),
        rows=rows,
        customers=spec.customers,
    )


def _notes(spec: SimulationSpec, duplicates: int, faults: int) -> tuple[str, ...]:
    notes = ["The log is simulated: companies, sellers and sales are invented."]
    if duplicates:
        notes.append(f"{duplicates:,} rows are exact repetitions of the row before.")
    if faults:
        notes.append(f"{faults:,} rows were planted that cannot be read; see faults.parquet.")
    if spec.signal == 0:
        notes.append("Nothing predicts the purchases: every customer has the same chance.")
    if spec.shift is not None:
        what = "Demand, mix and prices" if spec.signal else "Prices"
        notes.append(f"{what} change at {spec.shift:%Y-%m-%d}.")
    return tuple(notes)


def _write_parquet(batches: Iterable[pa.Table], path: Path) -> None:
    """Write the tables, which share a schema, one after the other."""
    writer: pq.ParquetWriter | None = None
    for batch in batches:
        if writer is None:
            writer = pq.ParquetWriter(path, batch.schema, compression="zstd")
        writer.write_table(batch)
    if writer is not None:
        writer.close()
