"""How long the training of all divisions takes, beside one untuned LightGBM a division.

    python benchmarks/training.py --customers 10000 --rows 200000

Simulates a log, builds star, labels and features at three cutoffs, then measures in fresh
processes: ``gosales train`` (candidates, nested evaluation at every cutoff, calibration,
intervals, explanations, plots), and LightGBM with its defaults fitted once a division on the
same rows, without any evaluation. Prints seconds, CPU seconds, peak memory and the ratios.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from gosales.samples.sales_log import SimulationSpec, write_workspace

if __package__:
    from benchmarks.star import compare, measured
else:
    sys.path.insert(0, str(Path(__file__).parent))
    from star import compare, measured

CUTOFFS = "2023-06-30,2023-12-31,2024-03-31"
REFERENCE = """
import sys
from datetime import date
from pathlib import Path

import lightgbm

from gosales.config import load_settings
from gosales.etl.star import read_star_facts
from gosales.models.frame import load_frame
from gosales.run import open_run
from gosales.workspace import Workspace

root = Path(sys.argv[1])
days = [date.fromisoformat(day) for day in sys.argv[2].split(",")]
with open_run(Workspace(root), load_settings(root), "reference") as run:
    for division in read_star_facts(run.workspace).divisions:
        frame = load_frame(run, division, days, 6)
        rows = lightgbm.Dataset(frame.x, frame.label)
        lightgbm.train({"objective": "binary", "verbosity": -1}, rows)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=200_000, help="documents of the wide log")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = write_workspace(
            SimulationSpec(customers=choice.customers, rows=choice.rows, seed=1), Path(folder)
        )
        print(f"{made.rows:,} rows, {made.customers:,} customers, cutoffs {CUTOFFS}")
        ours = [sys.executable, "-m", "gosales"]
        where = ["--workspace", folder, "--quiet"]
        subprocess.run([*ours, "star", *where], check=True)
        every = ["--division", "all", "--cutoffs", CUTOFFS, *where]
        subprocess.run([*ours, "labels", *every], check=True)
        subprocess.run([*ours, "features", *every], check=True)
        reference = measured([sys.executable, "-c", REFERENCE, folder, CUTOFFS])
        trained = measured([*ours, "train", *every])
    compare(("LightGBM, one fit each:", reference), ("gosales train:", trained))


if __name__ == "__main__":
    main()
