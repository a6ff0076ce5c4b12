"""The artifacts of a workspace, opened for reading only and only as the registry vouches for them.

Tables stay on disk and are asked through the embedded engine; nothing is held whole in memory.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.csv as pa_csv

from gosales.artifacts import Entry, read_registry, require
from gosales.checksum import parquet_files
from gosales.engine import open_embedded
from gosales.errors import GoSalesError
from gosales.settings import Settings
from gosales.workspace import Workspace

__all__ = ["TEXTS", "Shelf"]

# Columns that stay text in CSV files, however much they look like numbers.
TEXTS = (
    "customer_id", "customer_name", "region", "rep", "industry", "value", "by", "matched",
    "attribute", "feature", "name", "division_name", "source_file", "column", "rule", "table",
    "message", "severity", "window", "scope",
)  # fmt: skip
PATIENCE, TRIES = 0.1, 10
Stamp = tuple[int, ...]


class Shelf:
    """Reads artifacts; safe to ask from several threads, answered one at a time."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings
        self._engine = open_embedded(settings.database)
        self._lock = threading.RLock()
        self._tables: dict[Path, tuple[str, ir.Table]] = {}
        self._made: dict[str, tuple[tuple[str, ...], Any]] = {}
        self._vouched: dict[Path, tuple[Stamp, str]] = {}
        self._registry: tuple[Stamp, dict[str, Entry]] = ((), {})

    def close(self) -> None:
        self._engine.close()

    def registry(self) -> dict[str, Entry]:
        """What the runs of this workspace made; read again when the registry has changed."""
        path = self.workspace.registry
        stamp = _stamp(path) if path.is_file() else ()
        if self._registry[0] != stamp:
            self._registry = (stamp, read_registry(self.workspace))
        return self._registry[1]

    def known(self, path: Path) -> Entry | None:
        return self.registry().get(path.relative_to(self.workspace.root).as_posix())

    def has(self, path: Path) -> bool:
        """Whether a run of this workspace made the artifact."""
        return self.known(path) is not None

    def sha256(self, path: Path) -> str:
        known = self.known(path)
        return known.sha256 if known else ""

    def path(self, path: Path, made_by: str) -> Path:
        """As ``require``, but a file is hashed once, and a run's commit is waited for.

        Raises MissingArtifact, StaleArtifact or IntegrityError.
        """
        for _ in range(TRIES):
            if not self.workspace.journal.exists():
                break
            time.sleep(PATIENCE)  # a run is between two renames
        registry, known = self.registry(), self.known(path)
        if known is None or not path.exists():
            return require(self.workspace, path, made_by)
        seen = (_stamp(path), known.sha256)
        current = all(
            registry[name].sha256 == sha for name, sha in known.inputs.items() if name in registry
        )
        if not current or self._vouched.get(path) != seen:
            require(self.workspace, path, made_by)
            self._vouched[path] = seen
        return path

    def table(self, path: Path, made_by: str) -> ir.Table:
        """A parquet artifact as a table that stays on disk."""
        found = self.path(path, made_by)
        with self._lock:
            sha256 = self.sha256(path)
            if path not in self._tables or self._tables[path][0] != sha256:
                self._tables[path] = (sha256, self._engine.read_parquet(found))
            return self._tables[path][1]

    def json(self, path: Path, made_by: str) -> Any:
        return json.loads(self.path(path, made_by).read_bytes())

    def csv(self, path: Path, made_by: str) -> pa.Table:
        """A small CSV artifact; ids and names are text."""
        options = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(TEXTS, pa.string()), strings_can_be_null=False
        )
        parse = pa_csv.ParseOptions(newlines_in_values=True)
        return pa_csv.read_csv(
            self.path(path, made_by), convert_options=options, parse_options=parse
        )

    def rows(self, expr: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small result."""
        found: list[dict[str, Any]] = self.arrow(expr).to_pylist()
        return found

    def arrow(self, expr: ir.Table) -> pa.Table:
        with self._lock:
            return self._engine.to_arrow(expr)

    def kept(self, name: str, sources: Iterable[Path], make: Any) -> Any:
        """What ``make()`` gives, made again only when one of the artifacts has changed."""
        now = tuple(self.sha256(path) for path in sources)
        with self._lock:
            if name not in self._made or self._made[name][0] != now:
                self._made[name] = (now, make())
            return self._made[name][1]

    def cached(self, name: str, sources: Iterable[Path], expr: Any) -> ir.Table:
        """A table worked out once and kept on disk beside the engine, as ``kept`` is."""
        found: ir.Table = self.kept(name, sources, lambda: self._engine.cache(expr()))
        return found

    def failure(self, path: Path, made_by: str) -> GoSalesError | None:
        """What is wrong with an artifact, or None."""
        try:
            self.path(path, made_by)
        except GoSalesError as error:
            return error
        return None


def _stamp(path: Path) -> Stamp:
    files = parquet_files(path) if path.is_dir() else [path]
    return tuple(number for s in (f.stat() for f in files) for number in (s.st_size, s.st_mtime_ns))
