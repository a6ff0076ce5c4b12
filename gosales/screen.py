"""What a person sees: progress while a run goes on, and a summary when it is done."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from gosales.amounts import amount
from gosales.errors import GoSalesError

__all__ = ["RichReporter", "Screen"]


class Screen:
    """Where a command prints: tables to standard output, notes and errors to standard error.

    ``--quiet`` leaves only errors; ``--json`` prints one machine-readable summary.
    """

    def __init__(self, quiet: bool = False, as_json: bool = False) -> None:
        self.quiet = quiet or as_json
        self.as_json = as_json
        wide = {} if sys.stdout.isatty() else {"width": 160}
        self.out = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), **wide)  # type: ignore[arg-type]
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        if not self.quiet:
            self.out.print(text, markup=False)

    def head(self, text: str) -> None:
        if not self.quiet:
            self.out.print(f"\n[bold]{text}[/bold]")

    def note(self, text: str, warning: bool) -> None:
        if not self.quiet:
            self.err.print(f"warning: {text}" if warning else text, markup=False)

    def table(self, title: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Numbers stand at the right; a Decimal is an amount of money."""
        if self.quiet:
            return
        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        for place, column in enumerate(columns):
            numeric = bool(rows) and isinstance(rows[0][place], int | float | Decimal)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*[_shown(value) for value in row])
        self.out.print(table)

    def summary(self, content: Any) -> None:
        """The one JSON line of ``--json``."""
        if self.as_json:
            print(json.dumps(plain(content), default=str))

    def error(self, error: GoSalesError) -> None:
        self.err.print(f"error: {error.message}", markup=False, style="red")
        if error.remedy:
            self.err.print(error.remedy, markup=False)


class RichReporter:
    """A progress bar on a terminal; silent elsewhere. Notes and warnings are printed."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if sys.stderr.isatty() and not screen.quiet:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:,.0f}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=screen.err,
                transient=True,
            )

    def start(self, step: str, total: int | None) -> None:
        if self._progress is not None:
            self._progress.start()
            self._task = self._progress.add_task(step, total=total)

    def advance(self, rows: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, rows)

    def end(self, step: str, rows: int | None, seconds: float) -> None:
        if self._progress is None or self._task is None:
            return
        self._progress.remove_task(self._task)
        self._task = None
        self._progress.stop()
        count = f"{rows:,} rows, " if rows is not None else ""
        self._screen.err.print(f"  {step}: {count}{seconds:.1f} s", markup=False, style="dim")

    def note(self, text: str, warning: bool) -> None:
        self._screen.note(text, warning)


def plain(value: Any) -> Any:
    """Dataclasses, dates and decimals as JSON has them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return amount(value)
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)
