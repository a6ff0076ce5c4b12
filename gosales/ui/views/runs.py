"""What ran when, on what, for how long, and how it ended."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gosales.ui.shelf import Shelf

__all__ = ["RunDetail", "RunLine", "run_detail", "runs"]

MOST = 200


@dataclass(frozen=True)
class RunLine:
    """A run in a line; ``status`` is done, failed, or unknown for one still at work or killed."""

    run_id: str
    command: str
    status: str
    started: str
    seconds: float | None
    outputs: int
    warnings: int


@dataclass(frozen=True)
class RunDetail:
    line: RunLine
    manifest: dict[str, Any]
    settings: str
    log: list[dict[str, Any]]


def runs(shelf: Shelf) -> list[RunLine]:
    """The newest runs first."""
    folder = shelf.workspace.outputs / "runs"
    if not folder.is_dir():
        return []
    names = sorted((path.name for path in folder.iterdir() if path.is_dir()), reverse=True)
    return [_line(name, _manifest(folder / name)) for name in names[:MOST]]


def run_detail(shelf: Shelf, run_id: str) -> RunDetail | None:
    """None for a run that is not there."""
    known = re.fullmatch(r"[\w-]+", run_id) and (shelf.workspace.run(run_id)).is_dir()
    if not known:
        return None
    folder = shelf.workspace.run(run_id)
    manifest = _manifest(folder)
    settings = folder / "config_resolved.yaml"
    text = settings.read_text(encoding="utf-8") if settings.is_file() else ""
    return RunDetail(_line(run_id, manifest), manifest, text, _log(folder / "log.jsonl"))


def _line(run_id: str, manifest: dict[str, Any]) -> RunLine:
    return RunLine(
        run_id,
        manifest.get("command", ""),
        manifest.get("status", "unknown"),
        manifest.get("started", ""),
        manifest.get("seconds"),
        len(manifest.get("outputs", {})),
        len(manifest.get("warnings", [])),
    )


def _manifest(folder: Path) -> dict[str, Any]:
    """Empty where there is none, or one that is not whole: the run was killed or is at work."""
    try:
        content = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _log(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line of a run that was killed
        events.append(
            {"time": event.pop("time", ""), "event": event.pop("event", ""), "told": event}
        )
    return events
