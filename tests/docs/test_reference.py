"""The reference is what the code says, and every file of a workspace is in it, column by column."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from docs.generate.__main__ import PAGES
from docs.generate.api import MODULES
from docs.generate.artifacts import Artifact, Column, artifacts
from docs.generate.commands import commands
from docs.generate.navigation import on_config

# Written by a user or a sample, or there only while a command runs.
NOT_OURS = ("config.yaml", "gosales/data/raw/", "gosales/data/lookup/", "gosales/data/truth/",
            "gosales/data/.scratch/", "gosales/outputs/.lock")  # fmt: skip
KNOWN = artifacts()
DAY = dt.date(2024, 6, 30)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_current(path: Path) -> None:
    told = "Write it again: python -m docs.generate"
    assert path.read_text(encoding="utf-8") == PAGES[path](), told


def test_every_command_and_option_is_on_the_page() -> None:
    page = next(path for path in PAGES if path.name == "commands.md").read_text(encoding="utf-8")
    assert len(commands()) > 20
    for words, command in commands().items():
        assert f"## gosales {words}\n" in page
        for one in command.params:
            assert all(word in page for word in one.opts), (words, one.opts)


def test_every_export_is_on_the_page() -> None:
    page = next(path for path in PAGES if path.name == "python.md").read_text(encoding="utf-8")
    for name in MODULES:
        assert f"## {name}\n" in page
    stages = "build_star build_labels build_features train score rank_whitespace hand_over publish"
    for name in [*stages.split(), "check_leakage", "write_report", "GoSalesError"]:
        assert f"\n### {name} " in page, name


def test_the_menu_takes_in_every_decision(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    for name in ("0002-b.md", "0001-a.md"):
        (tmp_path / "decisions" / name).touch()
    found = on_config(
        {"docs_dir": str(tmp_path), "nav": [{"Start": "index.md"}, {"Decisions": []}]}
    )
    assert found["nav"][1] == {"Decisions": ["decisions/0001-a.md", "decisions/0002-b.md"]}


@pytest.fixture(params=["demo_run", "tutorial"])
def files(request: pytest.FixtureRequest) -> list[tuple[str, Path]]:
    """The files that GoSales wrote into a workspace, by their names in it."""
    root: Path = request.getfixturevalue(request.param)
    named = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*")]
    return [
        (name, path)
        for name, path in sorted(named)
        if path.is_file() and name.startswith("gosales/") and not name.startswith(NOT_OURS)
    ]


def test_every_file_is_documented_once_with_its_columns(files: list[tuple[str, Path]]) -> None:
    assert len(files) > 50
    wrong = [fault for name, path in files for fault in faults(name, path)]
    assert not wrong, "\n".join(wrong)


def test_every_documented_file_is_written(demo_run: Path, tutorial: Path) -> None:
    """By the demo and the tutorial; the rest by how-to pages, that is, by commands of their own."""
    elsewhere = {"outcome_<since>.json", "leakage.json", "leakage.csv"}
    written = [path.relative_to(root).as_posix()
               for root in (demo_run, tutorial) for path in root.rglob("*")]  # fmt: skip
    missing = {
        Path(one.paths[0]).name for one in KNOWN if not any(one.matches(name) for name in written)
    }
    assert missing == elsewhere


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


def test_a_missing_column_and_an_undocumented_one_are_found(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.csv"
    path.write_text("k_percent,threshold,extra\n1,high,2\n")
    name = f"gosales/outputs/thresholds_whitespace_{DAY}.csv"
    assert [*faults(name, path)] == [
        f"{name}: count is documented and not there",
        f"{name}: expected_gp is documented and not there",
        f"{name}: threshold is text, not number",
        f"{name}: extra is not documented",
    ]
    assert [*faults("gosales/outputs/new.csv", path)] == [
        "gosales/outputs/new.csv: has 0 entries in docs/generate/artifacts"
    ]
