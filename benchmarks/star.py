"""How fast a raw log becomes a star, beside DuckDB merely copying the same CSV to Parquet.

    python benchmarks/star.py --rows 5000000

Simulates a wide log of about that many documents, then measures in fresh processes: DuckDB
reading the CSV (as text) into one Parquet file, and ``gosales star``. Prints seconds, CPU
seconds (which hardly depend on what else the machine does), peak memory and the ratios of the
two.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gosales.samples.sales_log import SimulationSpec, write_workspace

COPY = """
import duckdb, sys
duckdb.sql("set enable_progress_bar = false")
duckdb.sql(f"copy (from read_csv('{sys.argv[1]}', all_varchar=true)) to '{sys.argv[2]}'")
"""


Cost = tuple[float, float, float]


def measured(arguments: list[str]) -> Cost:
    """Seconds, CPU seconds and peak gigabytes of a process of its own."""
    probe = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - started
    scale = 1e9 if sys.platform == "darwin" else 1e6
    cpu, memory = done.stdout.split()[-2:]
    return seconds, float(cpu), int(memory) / scale


def compare(reference: tuple[str, Cost], ours: tuple[str, Cost]) -> None:
    """Prints both by their names, and how many times the reference's seconds ours are."""
    for what, cost in (reference, ours):
        print(f"{what:24}{cost[0]:.1f} s, CPU {cost[1]:.1f} s, {cost[2]:.2f} GB")
    seconds, cpu = (ours[1][place] / reference[1][place] for place in (0, 1))
    print(f"{'ratio:':24}{seconds:.1f}, of CPU {cpu:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="documents of the wide log")
    parser.add_argument("--repeat", type=int, default=1, help="runs; the fastest is printed")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        spec = SimulationSpec(customers=max(50, choice.rows // 20), rows=choice.rows, seed=1)
        made = write_workspace(spec, place)
        log = made.paths[0]
        size = log.stat().st_size / 1e6
        print(f"wide log: {made.rows:,} rows, {made.customers:,} customers, {size:,.0f} MB")
        copy = [sys.executable, "-c", COPY, str(log), str(place / "copy.parquet")]
        star = [sys.executable, "-m", "gosales", "star", "--rebuild", "--quiet"]
        star += ["--workspace", str(place)]
        reference = min(measured(copy) for _ in range(choice.repeat))
        ours = min(measured(star) for _ in range(choice.repeat))
        runs = sorted((place / "gosales/outputs/runs").iterdir())
        steps = json.loads((runs[-1] / "manifest.json").read_text())["steps"]
        compare(("DuckDB, CSV to Parquet:", reference), ("gosales star:", ours))
        for step in steps:
            print(f"  {step['step']}: {step['seconds']:.1f} s")


if __name__ == "__main__":
    main()
