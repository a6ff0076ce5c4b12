"""One run of a command: its lock, its log, its steps and its manifest.

``outputs/runs/<run_id>/`` gets ``log.jsonl`` (JSON lines), ``config_resolved.yaml`` and
``manifest.json``. A run starts once, here, and here alone the clock is read.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import filelock
import yaml

from gosales.artifacts import Commit, Entry, commit, recover
from gosales.config import Resolved
from gosales.engine import Engine, open_engine
from gosales.errors import WorkspaceLocked
from gosales.settings import Settings
from gosales.workspace import Workspace

__all__ = ["NullReporter", "Reporter", "Run", "open_run"]

SECRET = "password|passwd|pwd|secret|token|credential|api_?key"
LIBRARIES = ("ibis-framework", "duckdb", "pyarrow", "numpy", "scikit-learn", "lightgbm")


class Reporter(Protocol):
    """What a screen needs to show a run: steps that start, advance and end, and notes."""

    def start(self, step: str, total: int | None) -> None: ...
    def advance(self, rows: int) -> None: ...
    def end(self, step: str, rows: int | None, seconds: float) -> None: ...
    def note(self, text: str, warning: bool) -> None: ...


class NullReporter:
    def start(self, step: str, total: int | None) -> None:
        return None

    def advance(self, rows: int) -> None:
        return None

    def end(self, step: str, rows: int | None, seconds: float) -> None:
        return None

    def note(self, text: str, warning: bool) -> None:
        return None


@dataclass
class Step:
    """A stage under way; set ``rows`` to what it made."""

    name: str
    reporter: Reporter
    rows: int | None = None

    def advance(self, rows: int) -> None:
        self.reporter.advance(rows)


@dataclass
class Run:
    """Everything a stage needs: settings, workspace, engine, and where to say things."""

    workspace: Workspace
    settings: Settings
    engine: Engine
    run_id: str
    today: dt.date
    reporter: Reporter
    artifacts: dict[str, Entry] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _log: Any = None

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:
        """Time a stage, show it and log it."""
        step = Step(name, self.reporter)
        started = time.perf_counter()
        self.reporter.start(name, total)
        self.log("step", name=name, state="start")
        try:
            yield step
        finally:
            seconds = round(time.perf_counter() - started, 3)
            self.reporter.end(name, step.rows, seconds)
            self.steps.append({"step": name, "rows": step.rows, "seconds": seconds})
            self.log("step", name=name, state="end", rows=step.rows, seconds=seconds)

    @contextmanager
    def commit(self, stage: str) -> Iterator[Commit]:
        """Write a stage's artifacts together; they enter this run's manifest."""
        with commit(self.workspace, stage, self.run_id) as change:
            yield change
        self.artifacts.update(change.entries)
        self.inputs.update(change.inputs)

    def note(self, text: str) -> None:
        """Tell the user something that is worth a line."""
        text = redact(text)
        self.log("note", text=text)
        self.reporter.note(text, warning=False)

    def warn(self, text: str) -> None:
        """Tell the user something that may be wrong."""
        text = redact(text)
        self.warnings.append(text)
        self.log("warning", text=text)
        self.reporter.note(text, warning=True)

    def log(self, event: str, **fields: Any) -> None:
        if self._log is not None:
            stamp = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            told = {
                key: redact(value) if isinstance(value, str) else value
                for key, value in fields.items()
            }
            self._log.write(json.dumps({"time": stamp, "event": event, **told}, default=str) + "\n")


@contextmanager
def open_run(
    workspace: Workspace,
    resolved: Resolved,
    command: str,
    reporter: Reporter | None = None,
) -> Iterator[Run]:
    """Hold the workspace for one command.

    Raises WorkspaceLocked when another run holds it.
    """
    started = dt.datetime.now(dt.UTC)
    with _lock(workspace):
        recover(workspace)
        # Left by runs that were killed; nobody else is at work here now.
        shutil.rmtree(workspace.scratch, ignore_errors=True)
        run_id = _free_run_id(workspace, f"{started:%Y%m%dT%H%M%S}-{command}-{os.getpid()}")
        folder = workspace.run(run_id)
        folder.mkdir(parents=True)
        settings = resolved.settings
        (folder / "config_resolved.yaml").write_text(_config_text(settings), encoding="utf-8")
        with (
            (folder / "log.jsonl").open("w", encoding="utf-8", buffering=1) as log,
            open_engine(settings.database, workspace.scratch) as engine,
        ):
            run = Run(
                workspace, settings, engine, run_id, started.date(), reporter or NullReporter()
            )
            run._log = log
            run.log("run", command=command, state="start")
            status: str = "failed"
            try:
                yield run
                status = "done"
            except BaseException as error:
                run.log("error", kind=type(error).__name__, text=str(error))
                raise
            finally:
                run.log("run", command=command, state=status)
                _write_manifest(run, folder, command, started, status)


def _lock(workspace: Workspace) -> AbstractContextManager[Any]:
    workspace.outputs.mkdir(parents=True, exist_ok=True)
    try:
        # The proxy releases on leaving; entering the lock itself would count a second hold.
        held: AbstractContextManager[Any] = filelock.FileLock(workspace.lock).acquire(timeout=0)
        return held
    except filelock.Timeout:
        raise WorkspaceLocked(
            f"Another run holds the workspace {workspace.root}.",
            "Wait until it ends; if none is running, remove gosales/outputs/.lock.",
        ) from None


def _free_run_id(workspace: Workspace, wanted: str) -> str:
    """The id, numbered when a run of the same second and process has it already."""
    run_id, number = wanted, 1
    while workspace.run(run_id).exists():
        number += 1
        run_id = f"{wanted}-{number}"
    return run_id


def _write_manifest(
    run: Run, folder: Path, command: str, started: dt.datetime, status: str
) -> None:
    ended = dt.datetime.now(dt.UTC)
    manifest = {
        "run_id": run.run_id,
        "command": command,
        "status": status,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 3),
        "engine": run.engine.name,
        "versions": versions(),
        "steps": run.steps,
        "warnings": run.warnings,
        "inputs": run.inputs,
        "outputs": {name: asdict(item) for name, item in sorted(run.artifacts.items())},
    }
    text = json.dumps(manifest, indent=2, default=str)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Versions of Python, of us and of the libraries that shape the results."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    from gosales import __version__

    return {"python": platform.python_version(), "gosales": __version__, **found}


def _config_text(settings: Settings) -> str:
    content = settings.model_dump(mode="json")
    # One line a value: a secret that goes on in a next line would be missed.
    return redact(yaml.safe_dump(content, sort_keys=False, width=1 << 20))


def redact(text: str) -> str:
    """Hide passwords in URLs and in settings whose name says that they are secret.

    >>> redact("postgres://ann:p@ss/w@host/db?sslpassword=x&a=1")
    'postgres://ann:***@host/db?sslpassword=***&a=1'
    """
    text = re.sub(r"(://[^\s:/@]*):[^\s'\"]*@", r"\1:***@", text)
    text = re.sub(rf"(?im)((?:^|[?&;\s])\w*(?:{SECRET})\w*=)[^&;\s'\"]+", r"\1***", text)
    named = rf"(?im)([\w.-]*(?:{SECRET})[\w.-]*['\"]?(?::\s|\s=\s)\s*).+$"
    return re.sub(named, r"\1'***'", text)
