"""Artifacts appear together or not at all, and are trusted only as the registry knows them."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosales.artifacts import (
    commit,
    entry,
    is_current,
    read_registry,
    recover,
    require,
)
from gosales.errors import IntegrityError, MissingArtifact, StaleArtifact
from gosales.run import Run
from gosales.safe_csv import FORMULA_START, csv_bytes
from gosales.workspace import Workspace

MADE_BY = "gosales star"


def write(workspace: Workspace, text: str, names: tuple[str, ...] = ("a", "b")) -> None:
    with commit(workspace, "stage", "run") as change:
        for name in names:
            change.bytes(f"{name} {text}".encode(), workspace.output(name))


def contents(workspace: Workspace) -> dict[str, str]:
    files = [path for path in workspace.outputs.rglob("*") if path.is_file()]
    skip = (workspace.registry, workspace.lock)
    return {workspace.relative(p): p.read_text() for p in sorted(files) if p not in skip}


def test_the_artifacts_of_a_commit_appear_together_and_are_registered(
    workspace: Workspace,
) -> None:
    with commit(workspace, "stage", "run-1") as change:
        change.bytes(b"one", workspace.output("a"), rows=3)
        change.json({"x": 1}, workspace.qa("b.json"))
        assert not workspace.output("a").exists()
    assert contents(workspace).keys() == {"gosales/outputs/a", "gosales/outputs/qa/b.json"}
    known = entry(workspace, workspace.output("a"))
    assert known is not None
    assert (known.rows, known.size, known.stage, known.run_id) == (3, 3, "stage", "run-1")
    assert not workspace.journal.exists()


def test_an_exception_between_two_writes_leaves_the_old_artifacts_and_no_litter(
    workspace: Workspace,
) -> None:
    write(workspace, "old")
    before = contents(workspace)
    with pytest.raises(RuntimeError), commit(workspace, "stage", "run") as change:
        change.bytes(b"new", workspace.output("a"))
        raise RuntimeError
    assert contents(workspace) == before


def test_a_write_that_fails_halfway_leaves_no_litter(run: Run) -> None:
    workspace = run.workspace
    broken = ibis.memtable({"a": ["x"]}).select(b=ibis._.a.cast("int64"))
    with pytest.raises(Exception, match="x"), run.commit("stage") as change:
        change.table(run.engine, broken, workspace.output("t.parquet"))
    assert not list(workspace.outputs.glob("t.parquet*"))
    assert entry(workspace, workspace.output("t.parquet")) is None


def test_a_removed_artifact_goes_with_the_commit(workspace: Workspace) -> None:
    write(workspace, "old")
    with commit(workspace, "stage", "run") as change:
        change.remove(workspace.output("a"))
        assert workspace.output("a").exists()
    assert not workspace.output("a").exists()
    assert list(read_registry(workspace)) == ["gosales/outputs/b"]


KILLED = """
import os, pathlib, signal, sys
from gosales import artifacts
from gosales.workspace import Workspace

# One child for each place in which it can be killed: before its n-th change of a file's name.
for point in range(int(sys.argv[2])):
    workspace = Workspace(pathlib.Path(sys.argv[1]) / str(point))
    with artifacts.commit(workspace, "stage", "old") as change:
        for name in "abc":
            change.bytes(f"{name} old".encode(), workspace.output(name))
        (workspace.outputs / "d.new.folder").mkdir()
        (workspace.outputs / "d.new.folder" / "part-0.parquet").write_text("d old")
        change.adopt(workspace.outputs / "d.new.folder", workspace.output("d"))
    child = os.fork()
    if child == 0:
        left = [point]
        def count(kind):
            def counted(self, *rest, **more):
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return kind(self, *rest, **more)
            return counted
        for name in ("replace", "unlink", "write_bytes"):
            setattr(pathlib.Path, name, count(getattr(pathlib.Path, name)))
        with artifacts.commit(workspace, "stage", "new") as change:
            for name in "ab":
                change.bytes(f"{name} new".encode(), workspace.output(name))
            (workspace.outputs / "x").mkdir()
            (workspace.outputs / "x" / "part-0.parquet").write_text("d new")
            change.adopt(workspace.outputs / "x", workspace.output("d"))
            change.remove(workspace.output("c"))
        os._exit(0)
    print(point, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
POINTS = 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_a_run_killed_anywhere_in_a_commit_leaves_all_old_or_all_new(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(POINTS)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    exits = dict(tuple(map(int, line.split())) for line in told.stdout.splitlines())
    assert exits[0] == -signal.SIGKILL and exits[POINTS - 1] == 0
    seen = set()
    for point, code in exits.items():
        workspace = Workspace(tmp_path / str(point))
        recover(workspace)
        assert not workspace.journal.exists()
        found = {
            name: (workspace.output(name) / "part-0.parquet" if name == "d" else
                   workspace.output(name)).read_text().split()[1]
            for name in "abcd" if workspace.output(name).exists()
        }  # fmt: skip
        old = dict.fromkeys("abcd", "old")
        new = dict.fromkeys("abd", "new")
        assert found in (old, new), point
        assert code == 0 or found in (old, new)
        seen.add(str(found))
        for name in found:
            require(workspace, workspace.output(name), MADE_BY)
        assert {Path(name).name for name in read_registry(workspace)} == found.keys()
    assert len(seen) == 2


def test_a_journal_left_behind_is_finished_by_the_next_run(
    workspace: Workspace, run_in: Callable[..., object]
) -> None:
    write(workspace, "old")
    with commit(workspace, "stage", "run") as change:
        change.bytes(b"a new", workspace.output("a"))
        plan = {
            "moves": [["gosales/outputs/a.new", "gosales/outputs/a"]],
            "removed": ["gosales/outputs/b"],
            "registry": {},
        }
        workspace.journal.write_text(json.dumps(plan))
        with run_in():  # type: ignore[attr-defined]
            assert workspace.output("a").read_text() == "a new"
            assert not workspace.output("b").exists()
        change.bytes(b"a newer", workspace.output("a"))
    assert workspace.output("a").read_text() == "a newer"


def test_what_is_not_there_is_missing_with_the_command_that_makes_it(
    workspace: Workspace,
) -> None:
    with pytest.raises(MissingArtifact, match=r"a does not exist\.\nMake it with: gosales star"):
        require(workspace, workspace.output("a"), MADE_BY)


def test_a_file_that_no_run_wrote_is_missing(workspace: Workspace) -> None:
    write(workspace, "old")
    workspace.output("stray").write_text("from elsewhere")
    with pytest.raises(MissingArtifact, match="not written by a run of this workspace") as caught:
        require(workspace, workspace.output("stray"), MADE_BY)
    assert caught.value.exit_code == 4


def test_a_tampered_file_fails_its_integrity_check(workspace: Workspace) -> None:
    write(workspace, "old")
    workspace.output("a").write_text("a odd")
    with pytest.raises(IntegrityError, match="sha256 differs") as caught:
        require(workspace, workspace.output("a"), MADE_BY)
    assert caught.value.exit_code == 6
    assert not is_current(workspace, workspace.output("a"), "")


def test_a_tampered_part_of_a_folder_fails_its_integrity_check(workspace: Workspace) -> None:
    source = workspace.outputs / "made"
    source.mkdir(parents=True)
    (source / "part-0.parquet").write_text("old")
    with commit(workspace, "stage", "run") as change:
        change.adopt(source, workspace.output("t.parquet"))
    require(workspace, workspace.output("t.parquet"), MADE_BY)
    (workspace.output("t.parquet") / "part-1.parquet").write_text("more")
    with pytest.raises(IntegrityError):
        require(workspace, workspace.output("t.parquet"), MADE_BY)


def test_a_touched_file_with_the_same_bytes_is_fine(workspace: Workspace) -> None:
    write(workspace, "old")
    os.utime(workspace.output("a"), ns=(1, 1))
    assert require(workspace, workspace.output("a"), MADE_BY) == workspace.output("a")


def test_a_copied_workspace_is_fine(workspace: Workspace, tmp_path: Path) -> None:
    write(workspace, "old")
    moved = workspace.root.rename(tmp_path / "moved")
    assert require(Workspace(moved), Workspace(moved).output("a"), MADE_BY).read_text() == "a old"


def test_an_artifact_made_from_an_input_that_changed_is_stale(workspace: Workspace) -> None:
    write(workspace, "old", ("a",))
    with commit(workspace, "next", "run") as change:
        change.made_from(workspace.output("a"), key="k")
        change.bytes(b"derived", workspace.output("derived"))
    derived = workspace.output("derived")
    assert require(workspace, derived, MADE_BY) == derived
    assert is_current(workspace, derived, "k") and not is_current(workspace, derived, "other")
    write(workspace, "new", ("a",))
    with pytest.raises(StaleArtifact, match="made from an earlier gosales/outputs/a") as caught:
        require(workspace, derived, MADE_BY)
    assert caught.value.exit_code == 4
    assert not is_current(workspace, derived, "k")


def test_an_input_made_again_with_the_same_bytes_leaves_nothing_stale(
    workspace: Workspace,
) -> None:
    write(workspace, "old", ("a",))
    with commit(workspace, "next", "run") as change:
        change.made_from(workspace.output("a"))
        change.bytes(b"derived", workspace.output("derived"))
    write(workspace, "old", ("a",))
    require(workspace, workspace.output("derived"), MADE_BY)


@pytest.mark.parametrize("text", ["no json", "[]", '{"a": {"sha256": 1}}'])
def test_a_broken_registry_is_an_integrity_error(workspace: Workspace, text: str) -> None:
    write(workspace, "old")
    workspace.registry.write_text(text)
    with pytest.raises(IntegrityError):
        require(workspace, workspace.output("a"), MADE_BY)


def cells(table: pa.Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_bytes(table).decode(), newline="")))


@pytest.mark.parametrize("start", FORMULA_START)
def test_text_that_a_spreadsheet_would_run_is_quoted_in_cells_and_headers(start: str) -> None:
    evil = f"{start}cmd|' /C calc'!A0"
    assert cells(pa.table({evil: [evil, "fine"]})) == [[f"'{evil}"], [f"'{evil}"], ["fine"]]


def test_numbers_stay_numbers_negative_ones_too() -> None:
    table = pa.table(
        {
            "money": pa.array([Decimal("-1.5000"), Decimal("0")], pa.decimal128(18, 4)),
            "share": [-0.25, 1e-7],
            "count": [-3, None],
            "flag": [True, False],
            "text": ["-5", "5"],
        }
    )
    assert cells(table)[1:] == [
        ["-1.5000", "-0.25", "-3", "1", "'-5"], ["0.0000", "1e-07", "", "0", "5"],
    ]  # fmt: skip


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_a_csv_read_back_gives_the_text_and_never_a_formula(texts: list[str]) -> None:
    table = pa.table({"n": range(len(texts)), "text": texts})
    for row, text in zip(cells(table)[1:], texts, strict=True):
        assert row[1] == (f"'{text}" if text.startswith(FORMULA_START) else text)
        assert not row[1].startswith(FORMULA_START)


def test_the_same_rows_give_the_same_bytes(workspace: Workspace) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    assert csv_bytes(table) == csv_bytes(table.slice(0)) == b"a,b\n1,x\n2,\n"
