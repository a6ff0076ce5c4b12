"""What commands have in common: their options, and the run and the screen they work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "HERE",
    "AsJson",
    "Call",
    "Config",
    "Cutoffs",
    "Divisions",
    "Quiet",
    "WindowMonths",
    "Workdir",
    "cutoff_of",
    "opened",
]

Config = Annotated[Path | None, typer.Option("--config", help="Settings file.")]
Workdir = Annotated[
    Path, typer.Option("--workspace", envvar="GOSALES_WORKSPACE", help="The workspace folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON summary and nothing else.")]
HERE = Path()
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Divisions = Annotated[str, typer.Option("--division", help="A name, a comma list, or all.")]
Cutoffs = Annotated[
    str | None, typer.Option("--cutoff", "--cutoffs", help="YYYY-MM-DD, or a comma list.")
]
WindowMonths = Annotated[int | None, typer.Option("--window-months", help="Label window.")]


@dataclass
class Call:
    """A command under way: its run and its screen."""

    run: Any
    screen: Any


@contextmanager
def opened(
    command: str,
    workspace: Path,
    config: Path | None,
    quiet: bool,
    as_json: bool,
    flags: dict[str, Any] | None = None,
) -> Iterator[Call]:
    from gosales.config import load_settings
    from gosales.run import open_run
    from gosales.screen import RichReporter, Screen
    from gosales.workspace import Workspace

    screen = Screen(quiet, as_json)
    place = Workspace(workspace)
    resolved = load_settings(place.root, config, flags)
    with open_run(place, resolved, command, RichReporter(screen)) as run:
        yield Call(run, screen)


def cutoff_of(word: str | None) -> dt.date | None:
    """The date of a ``--cutoff`` flag; raises UsageError for a word that is none."""
    from gosales.months import parse_cutoffs

    return parse_cutoffs(word)[0] if word else None
