"""What the run tells about the data: the row accounting, the schema and its changes, profiles."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import Engine
from gosales.errors import GoSalesError
from gosales.etl.staging import ORIGIN
from gosales.workspace import Workspace

__all__ = ["Accounting", "column_profile", "schema_changes", "schema_snapshot"]

COUNT_SCHEMA = pa.schema(
    {
        "table": pa.string(),
        "rows": pa.int64(),
        "rejected": pa.int64(),
        "rule": pa.string(),
        "source_file": pa.string(),
        "unit": pa.string(),
    }
)


@dataclass
class Accounting:
    """Rows by source file: read = curated + quarantined (+ set aside), in source rows.

    A blank row or a wide row without any amount is set aside with a warning; it is in the
    quarantine table too, but is no error.
    """

    read: dict[str, int] = field(default_factory=dict)
    curated: dict[str, int] = field(default_factory=dict)
    rejected: dict[tuple[str, str], int] = field(default_factory=dict)
    aside: dict[tuple[str, str], int] = field(default_factory=dict)
    empty_cells: int | None = None
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def total_read(self) -> int:
        return sum(self.read.values())

    @property
    def total_curated(self) -> int:
        return sum(self.curated.values())

    @property
    def total_rejected(self) -> int:
        return sum(self.rejected.values())

    @property
    def total_aside(self) -> int:
        return sum(self.aside.values())

    def check(self) -> None:
        """Every row is accounted for, file by file; anything else is a defect of ours."""
        for name, read in self.read.items():
            out = self.curated.get(name, 0) + sum(
                n for part in (self.rejected, self.aside) for (f, _), n in part.items() if f == name
            )
            if out != read:
                raise GoSalesError(f"{name}: {read} rows read but {out} accounted for.")

    def by_rule(self) -> dict[str, int]:
        rules: dict[str, int] = {}
        for (_, rule), count in sorted({**self.rejected, **self.aside}.items()):
            rules[rule] = rules.get(rule, 0) + count
        return rules

    def table(self) -> pa.Table:
        rows: list[dict[str, Any]] = []

        def add(table: str, rule: str, file: str, kept: int, lost: int, unit: str = "row") -> None:
            rows.append(
                {
                    "table": table,
                    "rows": kept,
                    "rejected": lost,
                    "rule": rule,
                    "source_file": file,
                    "unit": unit,
                }
            )

        for name, read in sorted(self.read.items()):
            add("sales_log", "read", name, read, 0)
            add("sales_log", "curated", name, self.curated.get(name, 0), 0)
            for (file, rule), count in sorted({**self.rejected, **self.aside}.items()):
                if file == name:
                    add("quarantine", rule, name, 0, count)
        if self.empty_cells is not None:
            add("sales_log", "empty_wide_cells", "", self.empty_cells, 0, "cell")
        for table, count in self.tables.items():
            add(table, "curated", "", count, 0)
        return pa.Table.from_pylist(rows, COUNT_SCHEMA)


def column_profile(engine: Engine, staged: ir.Table) -> pa.Table:
    """``column``, ``rows``, ``filled``, ``distinct`` (approximate), ``least``, ``greatest``."""
    names = [name for name in staged.columns if name not in ORIGIN]
    measures: dict[str, ir.Value] = {"rows": staged.count()}
    for place, name in enumerate(names):
        cell = staged[name]
        measures[f"f{place}"] = cell.count()
        measures[f"d{place}"] = cell.approx_nunique()
        measures[f"a{place}"] = cell.min()
        measures[f"z{place}"] = cell.max()
    found = engine.to_arrow(staged.aggregate(**measures)).to_pylist()[0]
    rows = [
        {
            "column": name,
            "rows": found["rows"],
            "filled": int(found[f"f{place}"]),
            "distinct": int(found[f"d{place}"]),
            "least": found[f"a{place}"],
            "greatest": found[f"z{place}"],
        }
        for place, name in enumerate(names)
    ]
    schema = pa.schema(
        {
            "column": pa.string(),
            "rows": pa.int64(),
            "filled": pa.int64(),
            "distinct": pa.int64(),
            "least": pa.string(),
            "greatest": pa.string(),
        }
    )
    return pa.Table.from_pylist(rows, schema)


def schema_snapshot(tables: dict[str, ir.Table], raw_columns: tuple[str, ...]) -> dict[str, Any]:
    """Columns, types and nullability of each table, and the columns of the raw log."""
    required = {"transaction_id", "customer_id", "order_date", "product_sku", "product_division"}
    snapshot: dict[str, Any] = {
        name: [
            {
                "name": column,
                "type": str(kind.copy(nullable=True)),
                "nullable": column not in required,
            }
            for column, kind in table.schema().items()
        ]
        for name, table in tables.items()
    }
    snapshot["sales_log"] = [
        {"name": column, "type": "string", "nullable": True} for column in raw_columns
    ]
    return snapshot


def schema_changes(workspace: Workspace, snapshot: dict[str, Any]) -> list[str]:
    """What differs from the last run's snapshot, a line a table and kind of change."""
    path = workspace.qa("schema_snapshot.json")
    if not path.is_file():
        return []
    before = json.loads(path.read_bytes())
    changes = []
    for table, columns in snapshot.items():
        old = {c["name"]: c["type"] for c in before.get(table, [])}
        new = {c["name"]: c["type"] for c in columns}
        if not old:
            continue
        added, gone = [c for c in new if c not in old], [c for c in old if c not in new]
        retyped = [f"{c} ({old[c]} -> {new[c]})" for c in new if c in old and old[c] != new[c]]
        for what, names in (("new columns", added), ("columns gone", gone), ("retyped", retyped)):
            if names:
                changes.append(f"schema of {table} changed: {what}: {', '.join(names)}")
    return changes
