"""How fast the features of 3 cutoffs and all divisions are, beside three other ways.

    python benchmarks/features.py --rows 200000 1000000

For each size a simulated star (20 lines a customer, 12 divisions, 4 years) is measured in fresh
processes: seconds, CPU seconds, peak memory, growth from size to size, and ratios to

- the floor: DuckDB grouping the same Parquet file by customer, division and month, once;
- Polars: ten of the features, written by hand;
- featuretools with cutoff times: gross profit (sum, mean), lines and orders over the same windows,
  of each customer and of each customer in each division (200,000 rows at most, in an environment
  of its own: ``--featuretools PYTHON``). "sums" is the same of ours, and like it stays in memory.

In "one division" and "all", every family but market basket and ALS is built and written: 3
matrices and 36. The difference is what writing costs. Ratios are of CPU seconds, which hardly
depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from gosales.config import load_settings
from gosales.etl.star import SCHEMA_VERSION, open_star
from gosales.features import build_features, features_of
from gosales.features.history import open_ledgers
from gosales.features.panel import Panel
from gosales.run import open_run
from gosales.workspace import Workspace, slug

CUTOFFS = [dt.date(2023, 6, 30), dt.date(2023, 12, 31), dt.date(2024, 6, 30)]
FIRST, DAYS = dt.date(2021, 1, 1), 1461
WINDOWS = (3, 6, 12, 24)
DIVISIONS = [f"Division {n:02d}" for n in range(12)]
FEATURETOOLS_ROWS = 200_000
# Of our features, those that featuretools computes too.
SUMS = ("tx_n", "lines_n", "gp_sum", "gp_mean")


def make_star(place: Path, rows: int) -> None:
    """Customers differ in size, invoices have some lines, a few lines come back."""
    rng = np.random.default_rng(rows)
    customers = max(1, rows // 20)
    invoices = max(1, rows // 3)
    owner = (customers * rng.random(invoices) ** 1.7).astype(np.int64)
    day = rng.integers(0, DAYS, invoices)
    invoice = np.sort(rng.integers(0, invoices, rows))
    sku = (120 * rng.random(rows) ** 2).astype(np.int64)
    profit = np.round(rng.lognormal(5, 1.2, rows), 2)
    profit[rng.random(rows) < 0.03] *= -1
    names = pa.array([f"C{n:07d}" for n in range(customers)])
    skus = pa.array([f"SKU-{n:03d}" for n in range(120)])
    start = FIRST.toordinal() - dt.date(1970, 1, 1).toordinal()
    days = pa.array((start + day[invoice]).astype(np.int32)).cast(pa.date32())
    industries = pa.array(["Aerospace", "Automotive", "Medical", "Energy", "Consumer"])
    facts = pa.table(
        {
            "customer_id": names.take(pa.array(owner[invoice])),
            "order_date": days,
            "invoice_id": pa.array(invoice).cast(pa.string()),
            "product_sku": skus.take(pa.array(sku)),
            "product_division": pa.array(DIVISIONS).take(pa.array(sku % 12)),
            "quantity": pa.repeat(pa.scalar(Decimal(1), pa.decimal128(18, 4)), rows),
            "revenue": pa.nulls(rows, pa.decimal128(18, 4)),
            "gross_profit": pa.array(profit).cast(pa.decimal128(18, 4)),
            "is_return": pa.array(profit < 0),
        }
    )
    known = {"customer_id": names, "customer_name": names}
    known["industry"] = industries.take(pa.array(rng.integers(0, 5, customers)))
    about = {
        "schema_version": SCHEMA_VERSION,
        "layout": "long",
        "divisions": DIVISIONS,
        "has_invoices": True,
        "first_order": FIRST,
        "last_order": FIRST + dt.timedelta(DAYS - 1),
        "customers": customers,
        "transactions": rows,
    }
    workspace = Workspace(place)
    with (
        open_run(workspace, load_settings(workspace.root), "benchmark") as run,
        run.commit("star") as change,
    ):
        change.arrow(facts, workspace.fact)
        change.arrow(pa.table(known), workspace.dim("customer"))
        change.arrow(pa.table({"product_sku": skus}), workspace.dim("product"))
        change.json(about, workspace.star_facts)


def ours(place: Path, divisions: list[str]) -> None:
    workspace = Workspace(place)
    resolved = load_settings(workspace.root, flags={"features.affinity": False})
    with open_run(workspace, resolved, "benchmark") as run:
        report = build_features(run, divisions, CUTOFFS)
        print(f"{len(report.summaries)} matrices, {report.rows:,} rows", file=sys.stderr)


def sums(place: Path) -> None:
    """``SUMS`` in all windows, of customers and of customers in each division; in memory."""
    resolved = load_settings(place, flags={"features.affinity": False})
    with open_run(Workspace(place), resolved, "benchmark") as run:
        star, settings = open_star(run), run.settings.features
        lag = settings.lag_days
        declared = features_of({slug(name): name for name in DIVISIONS}, WINDOWS, lag)
        panel = Panel(
            engine=run.engine,
            ledgers=open_ledgers(star, run.engine, CUTOFFS[-1], lag, False, False),
            features=[f for f in declared if f.family == "rfm" and f.measure in SUMS],
            divisions=DIVISIONS,
            targets=DIVISIONS,
            settings=settings,
            ahead_months=6,
        )
        rows = sum(own.num_rows for s in panel.slices(CUTOFFS) for _, (own, *_) in s.own)
        print(f"{rows:,} customers in a division", file=sys.stderr)


def floor(place: Path) -> None:
    import duckdb

    duckdb.sql("set enable_progress_bar = false; set threads = 2")
    duckdb.sql(
        "create table months as select customer_id, product_division, "
        "date_trunc('month', order_date) as month, sum(gross_profit) as gp, count(*) as n "
        f"from read_parquet('{Workspace(place).fact}') group by all"
    )


def by_polars(place: Path) -> None:
    """Orders (3 and 12 months, ever), gross profit (3 and 12 months, ever), recency, tenure,
    returned lines and products of 12 months, in all divisions."""
    import polars as pl

    for cutoff in CUTOFFS:
        facts = pl.scan_parquet(Workspace(place).fact).filter(pl.col("order_date") <= cutoff)
        columns = [
            (cutoff - pl.col("order_date").max()).dt.total_days().alias("recency"),
            (cutoff - pl.col("order_date").min()).dt.total_days().alias("tenure"),
        ]
        for months in (3, 12, None):
            inside = pl.lit(True)
            if months is not None:
                inside = pl.col("order_date") > pl.lit(cutoff).dt.offset_by(f"-{months}mo")
            columns += [
                pl.col("invoice_id").filter(inside).n_unique().alias(f"tx_{months}"),
                pl.col("gross_profit").filter(inside).sum().alias(f"gp_{months}"),
            ]
        year = pl.col("order_date") > pl.lit(cutoff).dt.offset_by("-12mo")
        columns += [
            pl.col("is_return").filter(year).sum().alias("returns"),
            pl.col("product_sku").filter(year).n_unique().alias("skus"),
        ]
        facts.group_by("customer_id").agg(columns).collect()


# Run by a Python of its own: featuretools wants pandas below 3. An empty window is the whole past.
FEATURETOOLS = """
import json, resource, sys, time
import featuretools as ft, pandas as pd, pyarrow as pa, pyarrow.parquet as pq

path, cutoffs, windows = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
keep = ["customer_id", "product_division", "order_date", "invoice_id", "gross_profit"]
table = pq.read_table(path, columns=keep)
frame = table.set_column(4, "gross_profit", table["gross_profit"].cast(pa.float64())).to_pandas()
frame["order_date"] = pd.to_datetime(frame["order_date"])
frame["line"] = range(len(frame))
started, before = time.perf_counter(), time.process_time()
frame["pair"] = frame["customer_id"] + "|" + frame["product_division"]
entities = ft.EntitySet("log")
entities.add_dataframe(
    dataframe_name="lines", dataframe=frame, index="line", time_index="order_date",
    logical_types={"invoice_id": "Categorical"},
)
entities.normalize_dataframe("lines", "customers", "customer_id")
entities.normalize_dataframe("lines", "pairs", "pair")
for target, key in (("customers", "customer_id"), ("pairs", "pair")):
    first = frame.groupby(key)["order_date"].min()
    times = pd.concat(
        pd.DataFrame({key: first.index[first <= day], "time": day})
        for day in map(pd.Timestamp, cutoffs)
    )
    for months in windows:
        ft.dfs(
            entityset=entities,
            target_dataframe_name=target,
            agg_primitives=["sum", "count", "mean", "num_unique"],
            primitive_options={"num_unique": {"include_columns": {"lines": ["invoice_id"]}}},
            trans_primitives=[],
            max_depth=1,
            cutoff_time=times,
            training_window=f"{months} months" if months else None,
        )
scale = 1e9 if sys.platform == "darwin" else 1e6
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
seconds, cpu = time.perf_counter() - started, time.process_time() - before
print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": memory}))
"""


WAYS: dict[str, Callable[[Path], None]] = {
    "floor": floor,
    "sums": sums,
    "all": lambda place: ours(place, ["all"]),
    "one division": lambda place: ours(place, DIVISIONS[:1]),
    "Polars": by_polars,
}


@dataclass(frozen=True)
class Cost:
    """Of a process of its own: seconds, CPU seconds, peak gigabytes."""

    seconds: float
    cpu: float
    memory: float


def measured(command: list[str]) -> Cost:
    """What a process says of itself in its last line; its imports do not count as seconds."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def run_way(way: str, place: Path) -> None:
    import resource

    importlib.import_module(
        {"floor": "duckdb", "Polars": "polars"}.get(way, "ibis.backends.duckdb")
    )
    started, before = time.perf_counter(), time.process_time()
    WAYS[way](place)
    scale = 1e9 if sys.platform == "darwin" else 1e6
    cost = Cost(
        time.perf_counter() - started,
        time.process_time() - before,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale,
    )
    print(json.dumps(vars(cost)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=1, help="runs; the fastest is printed")
    parser.add_argument(
        "--featuretools", help="a Python that has featuretools, pandas < 3, pyarrow"
    )
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    choice = parser.parse_args()
    if choice.way:
        run_way(choice.way, choice.place)
        return
    last: tuple[int, float] | None = None
    for rows in choice.rows:
        with tempfile.TemporaryDirectory() as folder:
            make_star(Path(folder), rows)
            last = compare(rows, Path(folder), choice, last)


def commands(rows: int, place: Path, featuretools: str | None) -> dict[str, list[str]]:
    """What can be measured here."""
    here = [sys.executable, "-W", "ignore", __file__, "--place", str(place), "--way"]
    found = {way: [*here, way] for way in WAYS}
    if not importlib.util.find_spec("polars"):
        print("  Polars is not installed: left out")
        del found["Polars"]
    if rows > FEATURETOOLS_ROWS:
        return found
    if featuretools is None:
        print("  featuretools is left out: name a Python that has it by --featuretools")
        return found
    words = [",".join(map(str, CUTOFFS)), ",".join([*map(str, WINDOWS), ""])]
    script = [featuretools, "-W", "ignore", "-c", FEATURETOOLS, str(Workspace(place).fact), *words]
    return found | {"featuretools": script}


def compare(
    rows: int, place: Path, choice: argparse.Namespace, last: tuple[int, float] | None
) -> tuple[int, float]:
    print(f"{rows:,} lines, {max(1, rows // 20):,} customers, {len(CUTOFFS)} cutoffs")
    costs: dict[str, Cost] = {}
    for way, command in commands(rows, place, choice.featuretools).items():
        runs = [measured(command) for _ in range(choice.repeat)]
        costs[way] = cost = min(runs, key=lambda run: run.cpu)
        spent = f"{cost.seconds:8.1f} s, CPU {cost.cpu:8.1f} s, {cost.memory:5.2f} GB"
        print(f"  {way:13} {spent}")
    for mine in ("sums", "one division", "all"):
        others = [way for way in costs if way in ("floor", "Polars", "featuretools")]
        ratios = [f"{costs[mine].cpu / costs[way].cpu:.3g} x {way}" for way in others]
        print(f"  CPU of {mine}: {', '.join(ratios)}")
    ours = costs["all"].cpu
    if last is not None:
        print(f"  growth: {rows / last[0]:.1f} times the rows, {ours / last[1]:.1f} times the CPU")
    return rows, ours


if __name__ == "__main__":
    main()
