"""Holds the files of a workspace against the reference of artifacts, column by column."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from docs.generate.artifacts import Artifact, Column, artifacts

__all__ = ["KNOWN", "faults", "undocumented", "written"]

KNOWN = artifacts()
# Written by a user or a sample, or there only while a command runs.
NOT_OURS = ("config.yaml", "gosales/data/raw/", "gosales/data/lookup/", "gosales/data/truth/",
            "gosales/data/.scratch/", "gosales/outputs/.lock")  # fmt: skip


def written(root: Path) -> list[tuple[str, Path]]:
    """The files that GoSales wrote into a workspace, by their names in it."""
    named = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*")]
    return [
        (name, path)
        for name, path in sorted(named)
        if path.is_file() and name.startswith("gosales/") and not name.startswith(NOT_OURS)
    ]


def undocumented(root: Path) -> str:
    """What of a workspace is not as documented, a line each; empty when all is."""
    return "\n".join(fault for name, path in written(root) for fault in faults(name, path))


def faults(name: str, path: Path) -> Iterator[str]:
    found = [one for one in KNOWN if one.matches(name)]
    if len(found) != 1:
        yield f"{name}: has {len(found)} entries in docs/generate/artifacts"
        return
    kinds = columns_of(path)
    if kinds is not None:
        yield from (f"{name}: {fault}" for fault in compared(found[0], kinds))


def compared(known: Artifact, kinds: dict[str, set[str]]) -> Iterator[str]:
    named = {column.name: column for column in known.columns if not column.is_pattern}
    for column in named.values():
        if column.name not in kinds and not column.optional:
            yield f"{column.name} is documented and not there"
    for name, allowed in kinds.items():
        column = named.get(name) or next(
            (one for one in known.columns if one.is_pattern and one.matches(name)), None
        )
        if column is None:
            yield f"{name} is not documented"
        elif not fits(column, allowed):
            yield f"{name} is {' or '.join(sorted(allowed))}, not {column.kind}"


def fits(column: Column, allowed: set[str]) -> bool:
    return bool(set(column.kind.split(" or ")) & allowed)


def columns_of(path: Path) -> dict[str, set[str]] | None:
    """Column (or key of a JSON object) -> the types that it can be taken for; None: no table."""
    if path.suffix == ".parquet":
        return {field.name: arrow_kinds(field.type) for field in pq.read_schema(path)}
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = list(csv.reader(file))
        return {name: text_kinds({row[n] for row in rows}) for n, name in enumerate(head)}
    if path.suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return {key: json_kinds(value) for key, value in content.items()}
    return None


def arrow_kinds(kind: pa.DataType) -> set[str]:
    if pa.types.is_boolean(kind):
        return {"yes/no"}
    if pa.types.is_integer(kind):
        return {"whole number", "0/1", "number"}
    if pa.types.is_decimal(kind):
        return {"money"} if (kind.precision, kind.scale) == (18, 4) else {"number"}
    if pa.types.is_floating(kind):
        return {"number"}
    return {"date"} if pa.types.is_date(kind) else {"text"}


def text_kinds(cells: set[str]) -> set[str]:
    kinds = {"text"}
    for kind, read in (("whole number", int), ("number", float), ("date", dt.date.fromisoformat)):
        try:
            for cell in cells - {""}:
                read(cell)
        except ValueError:
            continue
        kinds.add(kind)
    return kinds | ({"0/1"} if cells <= {"", "0", "1"} else set())


def json_kinds(value: Any) -> set[str]:
    if value is None:
        return {"null", "object", "list", "text", "number", "date"}
    if isinstance(value, bool):
        return {"yes/no"}
    if isinstance(value, int | float):
        return {"number", "whole number"} if isinstance(value, int) else {"number"}
    if isinstance(value, str):
        return text_kinds({value}) | {"time"}
    return {"object"} if isinstance(value, dict) else {"list"}
