"""The commands that show what was made: the web app, and the report to mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gosales.cli_call import HERE, Config, Quiet, Workdir

__all__ = ["report", "ui"]


def ui(
    port: Annotated[
        int | None, typer.Option("--port", help="Default: ui.port; 0 = any that is free.")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    config: Config = None,
    workspace: Workdir = HERE,
) -> None:
    """Look at everything in a browser (extra 'ui'); only this machine can reach it."""
    from gosales.ui import serve

    place, settings = _opened(workspace, config, {"ui.port": port})
    serve(place, settings, not no_browser, lambda line: typer.echo(line))


def report(
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")] = Path(
        "gosales-report.html"
    ),
    pdf: Annotated[
        bool, typer.Option("--pdf", help="A PDF beside it too; needs Chromium or Chrome.")
    ] = False,
    config: Config = None,
    workspace: Workdir = HERE,
    quiet: Quiet = False,
) -> None:
    """One HTML file to mail or print: the best opportunities, and whether to trust them."""
    from gosales.report import write_report

    place, settings = _opened(workspace, config, {})
    for file in write_report(place, settings, out, pdf):
        if not quiet:
            typer.echo(f"Written: {file}")


def _opened(workspace: Path, config: Path | None, flags: dict[str, Any]) -> tuple[Any, Any]:
    """The workspace and its settings, without a run: nothing in it is changed."""
    from gosales.config import load_settings
    from gosales.workspace import Workspace

    place = Workspace(workspace)
    given = {name: value for name, value in flags.items() if value is not None}
    return place, load_settings(place.root, config, given).settings
