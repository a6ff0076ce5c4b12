"""Scores and stars made by hand, and what a list made of them holds."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.models import CELLS
from gosales.run import Run
from gosales.workspace import Workspace

LAST = dt.date(2023, 12, 31)
NAMES = ("customer_id", "division_name", "icp_score", "icp_percentile", "expected_gp")
ScoreRow = tuple[str, str, float, float, float]


def write_scores(
    run: Run, rows: list[ScoreRow], cutoff: dt.date = LAST, hindsight: tuple[str, ...] = ()
) -> None:
    """icp_scores, scoring.json and forecasts as the scoring stage writes them."""
    table = pa.Table.from_pylist(
        [
            dict(zip(NAMES, row, strict=True))
            | {"customer_name": f"Customer {row[0]}"}
            | {"reason_1": "One", "reason_2": "Two", "reason_3": ""}
            for row in rows
        ]
    )
    table = table.append_column("cutoff", pa.array([cutoff] * len(rows), pa.date32()))
    about = {
        "cutoff": str(cutoff),
        "window_months": run.settings.labels.window_months,
        "hindsight": list(hindsight),
    }
    with run.commit("score") as change:
        change.arrow(table, run.workspace.output("icp_scores.parquet"))
        change.json(about, run.workspace.output("scoring.json"))
        change.arrow(CELLS.empty_table(), run.workspace.output("forecasts.parquet"))


def rows_of(workspace: Workspace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(workspace.output("whitespace.parquet")).to_pylist()
    return rows


def pairs_of(workspace: Workspace) -> list[tuple[str, str]]:
    """(customer, division) in the order of the list."""
    return [(row["customer_id"], row["whitespace_division"]) for row in rows_of(workspace)]


def read_csv(workspace: Workspace, name: str) -> list[dict[str, str]]:
    with workspace.output(name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
