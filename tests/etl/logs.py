"""Small sales logs for the tests of Phase 0, and ways to look at what became of them."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gosales.workspace import Workspace

LONG = ["Invoice", "CustomerId", "Customer", "Rec Date", "SKU", "Division", "Qty", "GP"]


def long_rows(count: int = 12) -> list[list[str]]:
    """Order lines without a fault: 4 customers, 3 products in 2 divisions."""
    rows = []
    for n in range(count):
        sku = ("Bolt", "Nut", "Course")[n % 3]
        rows.append(
            [
                f"I{n // 2:03d}",
                str(100 + n % 4),
                f"Company {n % 4}",
                f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}",
                sku,
                "Learning" if sku == "Course" else "Parts",
                str(1 + n % 3),
                f"{10 * n + 0.25:.2f}",
            ]
        )
    return rows


def csv_text(rows: list[list[str]], header: list[str] | None = None, delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(LONG if header is None else header)
    writer.writerows(rows)
    return out.getvalue()


def put(workspace: Workspace, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    """A file of the workspace's raw log."""
    path = workspace.data / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def configure(workspace: Workspace, text: str) -> None:
    workspace.root.mkdir(parents=True, exist_ok=True)
    (workspace.root / "config.yaml").write_text(text, encoding="utf-8")


def facts(workspace: Workspace) -> list[dict[str, Any]]:
    return list(pq.read_table(workspace.fact).to_pylist())


def violations(workspace: Workspace) -> list[dict[str, str]]:
    with workspace.violations.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def quarantine(workspace: Workspace) -> list[dict[str, Any]]:
    return list(pq.read_table(workspace.quarantine("sales_log")).to_pylist())


def counts(workspace: Workspace) -> dict[str, int]:
    """Rows of the log by what became of them."""
    found: dict[str, int] = {}
    with workspace.qa("row_counts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["table"] in ("sales_log", "quarantine") and row["unit"] == "row":
                kept = int(row["rows"]) + int(row["rejected"])
                found[row["rule"]] = found.get(row["rule"], 0) + kept
    return found


def adds_up(workspace: Workspace) -> bool:
    """read = curated + everything that was set aside."""
    found = counts(workspace)
    return found.pop("read") == sum(found.values())


def checksums(workspace: Workspace) -> dict[str, str]:
    content: dict[str, str] = json.loads(workspace.qa("checksums.json").read_bytes())
    return content


def total(rows: list[dict[str, Any]]) -> Decimal:
    return sum((row["gross_profit"] for row in rows), Decimal(0))
