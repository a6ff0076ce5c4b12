"""Atomic writing of artifacts, and reading that trusts only what the registry lists.

A stage writes everything in one ``Commit``: files are written under other names beside
their places, then a journal, then all are renamed. A run killed before the journal leaves
the old artifacts; one killed after it is finished by the next run that opens the workspace.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.checksum import file_sha256, parquet_rows
from gosales.engine import Engine
from gosales.errors import IntegrityError, MissingArtifact, StaleArtifact
from gosales.safe_csv import csv_bytes
from gosales.workspace import Workspace

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["Commit", "Entry", "commit", "entry", "is_current", "recover", "require"]


@dataclass(frozen=True)
class Entry:
    """What the registry knows of an artifact; ``inputs`` maps each input to its sha256."""

    sha256: str
    rows: int | None
    size: int
    mtime_ns: int
    stage: str
    run_id: str
    key: str
    inputs: dict[str, str] = field(default_factory=dict)


class Commit:
    """The artifacts of one stage, written together or not at all."""

    def __init__(self, workspace: Workspace, stage: str, run_id: str) -> None:
        self.workspace = workspace
        self.stage = stage
        self.run_id = run_id
        self.inputs: dict[str, str] = {}
        self.key = ""
        self._pending: dict[Path, tuple[Path, int | None]] = {}
        self._placed: list[Path] = []
        self._removed: list[Path] = []
        self.entries: dict[str, Entry] = {}

    def made_from(self, *paths: Path, key: str = "") -> None:
        """Name the artifacts that this stage read, and a fingerprint of its settings."""
        known = read_registry(self.workspace)
        for path in paths:
            name = self.workspace.relative(path)
            self.inputs[name] = known[name].sha256 if name in known else file_sha256(path)
        self.key = key or self.key

    def table(self, engine: Engine, expr: ir.Table, path: Path) -> Path:
        """Write a table through the engine; returns the not yet final path, to read it back."""
        target = self._place(path)
        engine.write_parquet(expr, target)
        self._pending[path] = (target, parquet_rows(target))
        return target

    def arrow(self, table: pa.Table, path: Path, dictionary: bool = True) -> None:
        """Write an Arrow table; without dictionaries, where most values differ, and without
        statistics, where only whole columns are read, it takes two thirds of the time."""
        target = self._place(path)
        pq.write_table(table, target, use_dictionary=dictionary, write_statistics=dictionary)
        self._pending[path] = (target, table.num_rows)

    def csv(self, table: pa.Table, path: Path) -> None:
        self.bytes(csv_bytes(table), path, rows=table.num_rows)

    def json(self, content: Any, path: Path) -> None:
        text = json.dumps(content, indent=2, sort_keys=False, default=str, allow_nan=False)
        self.bytes(f"{text}\n".encode(), path)

    def bytes(self, content: bytes, path: Path, rows: int | None = None) -> None:
        target = self._place(path)
        target.write_bytes(content)
        self._pending[path] = (target, rows)

    def adopt(self, source: Path, path: Path, rows: int | None = None) -> None:
        """Take a file that was written elsewhere in the workspace as an artifact."""
        target = self._place(path)
        shutil.move(source, target)
        self._pending[path] = (target, rows)

    def rows(self, path: Path) -> int:
        """Rows of a table that was written in this commit."""
        return self._pending[path][1] or 0

    def remove(self, path: Path) -> None:
        """Take an artifact of an earlier run away with this commit."""
        self._removed.append(path)

    def _place(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.with_name(f"{path.name}.new")
        _delete(target)
        self._placed.append(target)
        return target

    def discard(self) -> None:
        for target in self._placed:
            _delete(target)

    def apply(self) -> None:
        registry = read_registry(self.workspace)
        moves = []
        for path, (target, rows) in self._pending.items():
            name = self.workspace.relative(path)
            entry = Entry(
                file_sha256(target),
                rows,
                *_stamp(target),
                self.stage,
                self.run_id,
                self.key,
                dict(self.inputs),
            )
            registry[name] = self.entries[name] = entry
            moves.append([self.workspace.relative(target), name])
        removed = [self.workspace.relative(path) for path in self._removed]
        for name in removed:
            registry.pop(name, None)
        plan = {
            "moves": moves,
            "removed": removed,
            "registry": {name: asdict(item) for name, item in sorted(registry.items())},
        }
        _write_atomic(self.workspace.journal, json.dumps(plan).encode())
        recover(self.workspace)


@contextmanager
def commit(workspace: Workspace, stage: str, run_id: str) -> Iterator[Commit]:
    """All artifacts written inside appear together when the block ends well."""
    change = Commit(workspace, stage, run_id)
    try:
        yield change
    except BaseException:
        change.discard()
        raise
    change.apply()


def recover(workspace: Workspace) -> None:
    """Finish a commit whose journal was written; a no-op when there is none."""
    if not workspace.journal.is_file():
        return
    plan = json.loads(workspace.journal.read_bytes())
    for source, name in plan["moves"]:
        old, new = workspace.root / name, workspace.root / source
        if new.exists():
            if old.is_dir() or new.is_dir():
                _delete(old)
            new.replace(old)
    for name in plan["removed"]:
        _delete(workspace.root / name)
    _write_atomic(workspace.registry, (json.dumps(plan["registry"], indent=1) + "\n").encode())
    workspace.journal.unlink()


# The registry last read, by its place and stamp: a stage asks for it once per artifact.
_read: dict[Path, tuple[tuple[int, int, int], dict[str, Entry]]] = {}


def read_registry(workspace: Workspace) -> dict[str, Entry]:
    path = workspace.registry
    if not path.is_file():
        return {}
    stat = path.stat()
    stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if path in _read and _read[path][0] == stamp:
        return dict(_read[path][1])
    try:
        content = json.loads(path.read_bytes())
        registry = {name: Entry(**item) for name, item in content.items()}
        _read[path] = (stamp, registry)
        return dict(registry)
    except (ValueError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{workspace.relative(workspace.registry)} cannot be read: {error}.",
            "Remove it and run: gosales run",
        ) from None


def entry(workspace: Workspace, path: Path) -> Entry | None:
    """The registry's entry of an artifact, or None."""
    return read_registry(workspace).get(workspace.relative(path))


def require(workspace: Workspace, path: Path, made_by: str) -> Path:
    """The path of an artifact that is there, whole and made from what is there now.

    Raises MissingArtifact, StaleArtifact or IntegrityError; each names ``made_by``,
    the command that makes the artifact.
    """
    registry = read_registry(workspace)
    name = workspace.relative(path)
    known = registry.get(name)
    if not path.exists() or known is None:
        what = (
            "does not exist" if not path.exists() else "was not written by a run of this workspace"
        )
        raise MissingArtifact(f"{name} {what}.", f"Make it with: {made_by}")
    if _stamp(path) != (known.size, known.mtime_ns) and file_sha256(path) != known.sha256:
        raise IntegrityError(
            f"{name} is not what the run {known.run_id} wrote (its sha256 differs).",
            f"Make it again with: {made_by}",
        )
    stale = _changed_input(registry, known)
    if stale:
        raise StaleArtifact(
            f"{name} was made from an earlier {stale}.", f"Make it again with: {made_by}"
        )
    return path


def is_current(workspace: Workspace, path: Path, key: str) -> bool:
    """Whether an artifact is there, made with these settings and from what is there now."""
    registry = read_registry(workspace)
    known = registry.get(workspace.relative(path))
    if known is None or known.key != key or not path.exists():
        return False
    if _stamp(path) != (known.size, known.mtime_ns) and file_sha256(path) != known.sha256:
        return False
    return _changed_input(registry, known) is None


def _changed_input(registry: dict[str, Entry], known: Entry) -> str | None:
    for name, sha256 in known.inputs.items():
        now = registry.get(name)
        if now is not None and now.sha256 != sha256:
            return name
    return None


def _stamp(path: Path) -> tuple[int, int]:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    stats = [file.stat() for file in files]
    return sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)


def _write_atomic(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
