"""How long the ranking of many pairs takes, and how much memory it holds.

    python benchmarks/whitespace_scale.py --customers 200000 --divisions 10

Makes a workspace with a star, scores and feature matrices of random numbers, then measures
``gosales whitespace`` in a process of its own: wall seconds, CPU seconds and peak memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.config import load_settings
from gosales.etl.star import SCHEMA_VERSION
from gosales.models import CELLS
from gosales.run import Run, open_run
from gosales.workspace import Workspace

CUTOFF = dt.date(2024, 6, 30)
COLUMNS = 100
SIGNALS = (
    "affinity__div__lift_max__24m", "affinity__div__lift_mean__24m",
    "als__div__similarity__24m",
)  # fmt: skip


def make(run: Run, customers: int, divisions: int, lines: int) -> None:
    """The artifacts that the ranking reads, with about a third of the pairs owned."""
    rng = np.random.default_rng(1)
    place = run.workspace
    ids = pa.array([f"C{number:07d}" for number in range(customers)])
    names = [f"Division {number:02d}" for number in range(divisions)]
    who, what = rng.integers(0, customers, lines), rng.integers(0, divisions, lines)
    days = CUTOFF.toordinal() - 719163 - rng.integers(0, 1400, lines)
    zero = pa.repeat(pa.scalar(Decimal("0.0000"), pa.decimal128(18, 4)), lines)
    facts = pa.table(
        {
            "transaction_id": pa.array(np.arange(lines)).cast(pa.string()),
            "customer_id": ids.take(pa.array(who)),
            "order_date": pa.array(days.astype(np.int32)).cast(pa.date32()),
            "invoice_id": pa.array(np.arange(lines) // 2).cast(pa.string()),
            "product_sku": pa.array(names).take(pa.array(what)),
            "product_division": pa.array(names).take(pa.array(what)),
            "gross_profit": zero,
            "region": pa.array(["North", "South", "West"]).take(pa.array(who % 3)),
            "rep": pa.array([f"Rep {number}" for number in range(150)]).take(pa.array(who % 150)),
        }
    )
    known = pa.table({"customer_id": ids, "customer_name": pc.binary_join_element_wise(
        "Customer", ids, " ")})  # fmt: skip
    about = {
        "schema_version": SCHEMA_VERSION, "layout": "long", "divisions": names,
        "has_invoices": True, "first_order": "2020-01-01", "last_order": str(CUTOFF),
        "customers": customers, "transactions": lines,
    }  # fmt: skip
    with run.commit("star") as change:
        change.arrow(facts, place.fact)
        change.arrow(known, place.dim("customer"))
        change.arrow(pa.table({"product_sku": names}), place.dim("product"))
        change.json(about, place.star_facts)
    with run.commit("features") as change:
        for name in names:
            numbers = {f"made__all__f{n}__life": rng.random(customers) for n in range(COLUMNS)}
            numbers |= {column: rng.random(customers) for column in SIGNALS}
            path = place.features(name, CUTOFF)
            change.arrow(pa.table({"customer_id": ids, **numbers}), path)
            stats = place.for_cutoff("feature_stats", name, CUTOFF, "json")
            change.json({"left_out": []}, stats)
    with run.commit("score") as change:
        parts = [_scores(rng, known, name) for name in names]
        change.arrow(pa.concat_tables(parts), place.output("icp_scores.parquet"))
        change.json(
            {"cutoff": str(CUTOFF), "window_months": 6, "hindsight": []},
            place.output("scoring.json"),
        )
        change.arrow(CELLS.empty_table(), place.output("forecasts.parquet"))


def _scores(rng: np.random.Generator, known: pa.Table, division: str) -> pa.Table:
    n = known.num_rows
    odds = rng.beta(1, 12, n)
    reason = [f"{number} orders in the last 12 months" for number in rng.integers(2, 90, n)]
    return known.select(["customer_id", "customer_name"]).append_column(
        "division_name", pa.repeat(division, n)
    ).append_column("cutoff", pa.array([CUTOFF] * n, pa.date32())).append_column(
        "icp_score", pa.array(odds)
    ).append_column("expected_gp", pa.array(np.round(odds * 500, 2))).append_column(
        "reason_1", pa.array(reason)
    ).append_column("reason_2", pa.repeat("Last order 24 days ago", n)).append_column(
        "reason_3", pa.repeat("Customer for 4.0 years", n)
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--divisions", type=int, default=10)
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines of the star")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        with open_run(workspace, load_settings(workspace.root), "benchmark") as run:
            make(run, choice.customers, choice.divisions, choice.lines)
        started = time.perf_counter()
        command = [sys.executable, "-m", "gosales", "whitespace", "--workspace", folder]
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{choice.customers:,} customers x {choice.divisions} divisions")
        print(f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} CPU s")
        scale = 1e9 if sys.platform == "darwin" else 1e6
        print(f"peak memory {used.ru_maxrss / scale:.2f} GB")


if __name__ == "__main__":
    main()
