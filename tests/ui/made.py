"""A small made-up workspace for the views, with rows that a test can count by hand."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gosales.config import load_settings
from gosales.run import open_run
from gosales.ui.shelf import Shelf
from gosales.workspace import Workspace
from tests.conftest import fact, write_star

DIVISIONS = ("Alpha", "Beta", "Gamma")
CUTOFF = dt.date(2024, 6, 30)
REGIONS = ("North", "South")
INDUSTRIES = ("Steel", "Toys", None)


def customers(count: int) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": f"C{n:03d}",
            "industry": INDUSTRIES[n % 3],
            "gender": "never told",
        }
        for n in range(count)
    ]


def score_rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Every customer in every division; each owns Alpha, every fourth Beta."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(count):
        for place, division in enumerate(DIVISIONS):
            odds = float(rng.random())
            rows.append(
                {
                    "customer_id": f"C{n:03d}",
                    "customer_name": "=Evil & <b>Sons</b>" if n == 0 else f"Customer C{n:03d}",
                    "division_name": division,
                    "cutoff": CUTOFF,
                    "icp_score": odds,
                    "icp_percentile": 100 * odds,
                    "icp_grade": "ABCDEF"[min(5, int(6 * (1 - odds)))],
                    "owned_before": int(place == 0 or (place == 1 and n % 4 == 0)),
                    "expected_gp": round(1000 * odds, 2),
                    "reason_1": "2 orders in the last 12 months",
                    "reason_2": "Gross profit of 500",
                    "reason_3": "",
                }
            )
    return rows


def list_rows(scores: list[dict[str, Any]], selected: int = 20) -> list[dict[str, Any]]:
    """The open pairs, best first; the first are selected, every tenth of them held back."""
    free = [row for row in scores if not row["owned_before"]]
    free.sort(key=lambda row: (-row["expected_gp"], row["division_name"], row["customer_id"]))
    return [
        {
            "rank": place + 1,
            "customer_id": row["customer_id"],
            "customer_name": row["customer_name"],
            "whitespace_division": row["division_name"],
            "whitespace_score": 1 - place / len(free),
            "icp_score": row["icp_score"],
            "expected_gp": row["expected_gp"],
            "reason": f"{row['reason_1']}; gross profit of 500",
            "selected": int(place < selected),
            "control": int(place < selected and place % 10 == 9),
            "region": REGIONS[int(row["customer_id"][1:]) % 2],
            "rep": f"Rep {int(row['customer_id'][1:]) % 5}",
            "last_bought": dt.date(2020, 1, 1) if place % 7 == 3 else None,
            "probability_signal": row["icp_score"],
            "expected_gp_signal": 0.5,
        }
        for place, row in enumerate(free)
    ]


def write_list(workspace: Workspace, rows: list[dict[str, Any]]) -> None:
    """The whitespace list and its figures, as the stage writes them."""
    with (
        open_run(workspace, load_settings(workspace.root), "test") as run,
        run.commit("whitespace") as change,
    ):
        change.made_from(workspace.output("icp_scores.parquet"))
        change.arrow(pa.Table.from_pylist(rows), workspace.output("whitespace.parquet"))
        change.json(
            {
                "weights": {"used": {"probability": 0.6, "expected_gp": 0.4, "affinity": 0}},
                "eligibility": {
                    "candidates": 120,
                    "removed": {"bought_before": 50},
                    "eligible": len(rows),
                },
                "capacity": {"listed": 18, "selected": 20},
                "intervals": {"80%": {"expected_gp": [1200.0, 4321.0]}},
            },
            workspace.output(f"whitespace_metrics_{CUTOFF}.json"),
        )


def make_workspace(root: Path, count: int = 40, described: bool = True) -> Workspace:
    """Star, scores and list; no models, no matrix, no profiles. Described: who customers are."""
    workspace = Workspace(root)
    facts = [
        fact(f"C{n:03d}", day, "Alpha", 100 + n)
        for n in range(count)
        for day in ("2023-01-15", "2023-06-20")
    ]
    facts += [fact(f"C{n:03d}", "2024-02-01", "Beta", 50) for n in range(0, count, 4)]
    scores = score_rows(count)
    with open_run(workspace, load_settings(root), "test") as run:
        write_star(run, facts, customers(count) if described else None)
        with run.commit("score") as change:
            change.made_from(workspace.fact)
            change.arrow(pa.Table.from_pylist(scores), workspace.output("icp_scores.parquet"))
            change.json(
                {"cutoff": str(CUTOFF), "window_months": 6, "hindsight": [], "skipped": {}},
                workspace.output("scoring.json"),
            )
    unknown = {} if described else {"region": None, "rep": None}
    write_list(workspace, [row | unknown for row in list_rows(scores)])
    return workspace


def open_shelf(workspace: Workspace) -> Shelf:
    return Shelf(workspace, load_settings(workspace.root).settings)


def spoil(path: Path) -> None:
    """Change an artifact as an editor would: its bytes no longer are what a run wrote."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def restamp(workspace: Workspace, path: Path, **changes: Any) -> None:
    """Change what the registry knows of an artifact."""
    registry = json.loads(workspace.registry.read_bytes())
    registry[workspace.relative(path)].update(changes)
    workspace.registry.write_text(json.dumps(registry), encoding="utf-8")
