"""The web app on N customers: seconds to the first page, and of each page and filter.

    python benchmarks/ui.py [--customers 200000] [--divisions 12] [--keep FOLDER]

The workspace is made up: star, scores, list and matrix are written by our own writers in the
size that a run on N customers would leave. The app runs in a process of its own, as `gosales ui`
starts it; the first page is timed from that start. The goals: first page under 3 s, a filter
under 0.3 s (after the first question, which joins the list once). Peak memory is the app's.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from gosales.config import load_settings
from gosales.etl.star import SCHEMA_VERSION
from gosales.run import Run, open_run
from gosales.whitespace.matrix import build_matrix
from gosales.workspace import Workspace

CUTOFF = dt.date(2024, 12, 31)
ROUNDS = 7
LISTED = 100_000
INDUSTRIES = ["Aerospace", "Automotive", "Education", "Electronics", "Energy", "Medical", "Tools"]
REGIONS = ["Midwest", "Northeast", "Southeast", "Southwest", "West"]
WHY = "12 orders in the last 12 months; gross profit of 23,000 so far; bought PDM 11 days ago"


def money(values: np.ndarray) -> pa.Array:
    return pa.array(np.round(values, 2)).cast(pa.decimal128(18, 4))


def make(root: Path, count: int, divisions: int) -> None:
    """Every customer in every division; about a quarter of the pairs is owned."""
    place, rng = Workspace(root), np.random.default_rng(7)
    names = [f"Division {chr(65 + n)}" for n in range(divisions)]
    ids = pa.array([f"{100_000 + n}" for n in range(count)])
    called = pa.array([f"Customer {n:06d} {INDUSTRIES[n % 7]} Inc" for n in range(count)])
    owned = rng.random((divisions, count)) < rng.beta(1, 3, count)
    owned[0, ~owned.any(axis=0)] = True
    with open_run(place, load_settings(root), "benchmark") as run:
        star(run, names, ids, called, owned, rng)
        scores(run, names, ids, called, owned, rng)
        build_matrix(run)


def star(
    run: Run,
    names: list[str],
    ids: pa.Array,
    called: pa.Array,
    owned: np.ndarray,
    rng: np.random.Generator,
) -> None:
    place, count = run.workspace, len(ids)
    division, customer = (np.repeat(axis, 2) for axis in np.nonzero(owned))
    order = np.argsort(customer, kind="stable")
    division, customer = division[order], customer[order]
    days = np.datetime64(CUTOFF) - rng.integers(0, 1400, len(customer)).astype("timedelta64[D]")
    buyers = ids.take(pa.array(customer))
    facts = pa.table(
        {
            "transaction_id": [f"t{n:08d}" for n in range(len(customer))],
            "customer_id": buyers,
            "order_date": pa.array(days.astype("datetime64[D]")),
            "invoice_id": pa.nulls(len(customer), pa.string()),
            "product_sku": pa.array(names).take(pa.array(division)),
            "product_division": pa.array(names).take(pa.array(division)),
            "quantity": money(np.ones(len(customer))),
            "revenue": pa.nulls(len(customer), pa.decimal128(18, 4)),
            "gross_profit": money(rng.lognormal(6, 1, len(customer))),
            "is_return": pa.array(np.zeros(len(customer), dtype=bool)),
            "region": pa.array(REGIONS).take(pa.array(customer % 5)),
            "rep": pa.array([f"Rep {n}" for n in range(60)]).take(pa.array(customer % 60)),
            "order_type": pa.nulls(len(customer), pa.string()),
            "source_file": pa.array(["made"] * len(customer)),
            "source_row": pa.array(np.arange(len(customer))),
        }
    )
    dim = pa.table(
        {
            "customer_id": ids,
            "customer_name": called,
            "customer_name_key": called,
            "industry": pa.array(INDUSTRIES).take(pa.array(np.arange(count) % 7)),
            "first_order_date": pa.array([CUTOFF] * count),
            "last_order_date": pa.array([CUTOFF] * count),
            "orders": pa.array(np.ones(count, dtype=np.int64)),
            "gross_profit": money(rng.lognormal(8, 1, count)),
        }
    )
    products = pa.table({"product_sku": names, "product_division": names})
    with run.commit("star") as change:
        change.arrow(facts, place.fact)
        change.arrow(dim, place.dim("customer"))
        change.arrow(products, place.dim("product"))
        about = {
            "schema_version": SCHEMA_VERSION, "layout": "long", "divisions": names,
            "has_invoices": False, "first_order": str(days.min()), "last_order": str(days.max()),
            "customers": count, "transactions": facts.num_rows,
        }  # fmt: skip
        change.json(about, place.star_facts)


def scores(
    run: Run,
    names: list[str],
    ids: pa.Array,
    called: pa.Array,
    owned: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """icp_scores, division by division as scoring writes it, and the list of the best."""
    place, count = run.workspace, len(ids)
    customer = np.tile(np.arange(count), len(names))
    division = np.repeat(np.arange(len(names)), count)
    odds = rng.beta(1, 8, len(customer))
    worth = np.round(odds * rng.lognormal(7, 1, len(customer)), 2)
    grades = pa.array(list("FEDCBA"))
    whole = pa.table(
        {
            "customer_id": ids.take(pa.array(customer)),
            "customer_name": called.take(pa.array(customer)),
            "division_name": pa.array(names).take(pa.array(division)),
            "cutoff": pa.array([CUTOFF]).take(pa.array(np.zeros(len(customer), dtype=np.int64))),
            "icp_score": odds,
            "icp_percentile": 100 * odds,
            "icp_grade": grades.take(pa.array((6 * odds).astype(np.int64))),
            "owned_before": owned.ravel().astype(np.int8),
            "expected_gp": worth,
            **{f"reason_{n}": pa.array([WHY[:31]] * len(customer)) for n in (1, 2, 3)},
        }
    )
    free = np.flatnonzero(~owned.ravel())
    best = free[np.argsort(-worth[free], kind="stable")][:LISTED]
    chosen = whole.take(pa.array(best))
    listing = pa.table(
        {
            "rank": np.arange(1, len(best) + 1),
            "customer_id": chosen.column("customer_id"),
            "customer_name": chosen.column("customer_name"),
            "whitespace_division": chosen.column("division_name"),
            "whitespace_score": np.linspace(1, 0, len(best)),
            "icp_score": chosen.column("icp_score"),
            "expected_gp": chosen.column("expected_gp"),
            "reason": pa.array([WHY] * len(best)),
            "selected": (np.arange(len(best)) < len(best) // 5).astype(np.int8),
            "control": np.zeros(len(best), dtype=np.int8),
            "region": pa.array(REGIONS).take(pa.array(customer[best] % 5)),
            "rep": pa.array([f"Rep {n}" for n in range(60)]).take(pa.array(customer[best] % 60)),
            "last_bought": pa.nulls(len(best), pa.date32()),
        }
    )
    with run.commit("score") as change:
        change.made_from(place.fact)
        change.arrow(whole, place.output("icp_scores.parquet"))
        told = {"cutoff": str(CUTOFF), "window_months": 6, "hindsight": [], "skipped": {}}
        change.json(told, place.output("scoring.json"))
    with run.commit("whitespace") as change:
        change.made_from(place.output("icp_scores.parquet"))
        change.arrow(listing, place.output("whitespace.parquet"))


@contextmanager
def served(root: Path) -> Iterator[tuple[str, float, int]]:
    """`gosales ui` on a free port: its address, when it was started, its process."""
    command = [sys.executable, "-m", "gosales", "ui", "--workspace", str(root), "--no-browser"]
    started = time.perf_counter()
    app = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert app.stdout is not None
        line = app.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http")), started, app.pid
    finally:
        app.terminate()
        app.wait()


def ask(url: str) -> float:
    began = time.perf_counter()
    with urllib.request.urlopen(url) as answer:  # our own server on this machine
        answer.read()
    return time.perf_counter() - began


def cpu_and_peak(pid: int) -> tuple[float, float]:
    """Seconds of CPU and gigabytes at most, of a process under Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1e6


def measure(root: Path) -> None:
    with served(root) as (address, started, pid):
        ask(address)
        print(f"start to first page: {time.perf_counter() - started:.2f} s (goal 3)")
        print(f"  of it CPU: {cpu_and_peak(pid)[0]:.2f} s")
        print(f"{'page':42} {'first s':>8} {'median s':>9} {'CPU s':>7}")
        one = quote("Division C")
        for name, path in (
            ("overview", ""),
            ("opportunities", "opportunities"),
            ("filter: division", f"opportunities?division={one}"),
            ("filter: region, rep, industry", "opportunities?region=West&rep=Rep+4&industry=Tools"),
            ("filter: search", "opportunities?search=0042"),
            ("slider: half of all", "opportunities?capacity=50"),
            ("sort by odds, page 9", "opportunities?capacity=100&sort=odds&page=9"),
            ("owners", "opportunities?owned=yes"),
            ("owners, filtered", f"opportunities?owned=yes&division={one}"),
            ("account", "account?id=104242"),
            ("matrix by rep", "matrix?by=rep"),
            ("matrix: customers of a region", "matrix?by=region&value=West"),
            ("data", "data"),
        ):
            first = ask(address + path)
            before = cpu_and_peak(pid)[0]
            times = [ask(address + path) for _ in range(ROUNDS)]
            used = (cpu_and_peak(pid)[0] - before) / ROUNDS
            print(f"{name:42} {first:8.2f} {median(times):9.2f} {used:7.2f}")
        print(f"peak memory of the app: {cpu_and_peak(pid)[1]:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--divisions", type=int, default=12)
    parser.add_argument("--keep", type=Path, help="make the workspace here, or use the one there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = given.keep or Path(folder)
        if not Workspace(root).registry.is_file():
            make(root, given.customers, given.divisions)
        print(f"{given.customers:,} customers, {given.divisions} divisions")
        measure(root)


if __name__ == "__main__":
    main()
