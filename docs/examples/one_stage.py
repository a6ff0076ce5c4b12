"""One stage from Python: the whitespace of a workspace again, with another weight of value."""

from pathlib import Path

from gosales.config import load_settings
from gosales.run import open_run
from gosales.whitespace import rank_whitespace
from gosales.workspace import Workspace

workspace = Workspace(Path())
flags = {"whitespace.weights": {"probability": 0.5, "expected_gp": 0.5}}
with open_run(workspace, load_settings(workspace.root, flags=flags), "my-script") as run:
    report = rank_whitespace(run)
print(f"{report.listed} of {report.eligible} open pairs are on the list of {report.cutoff}.")
for one in report.best[:3]:
    print(one.rank, one.customer_name, one.division, f"{one.probability:.0%}")
