"""Every command of ``gosales`` with its options, as the command line declares them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from gosales import errors
from gosales.cli import app

__all__ = ["commands", "commands_page", "table"]

INTRO = """# Commands

Made from the command line itself by `python -m docs.generate`; a test holds it current.

`gosales --help` lists the commands in the order of the pipeline, `gosales COMMAND --help` tells
the options of one. `python -m gosales` is the same as `gosales`.

Every command that works on a workspace takes the current folder for it, or the one that
`--workspace` or the environment variable `GOSALES_WORKSPACE` names. Settings come from `--config`
or from the workspace (see [Configuration](../configuration.md)).

## Exit codes

A script or a scheduler sees from the exit code what happened:

"""
OTHER_CODES = {
    0: "done",
    1: "a defect of GoSales; a report file is named",
    2: "a command, a path or a setting that cannot be taken",
    3: "the log breaks the data contract; the last good star stays as it was",
    4: "a needed artifact is missing or stale; the message names the command that makes it",
    5: "nothing to do: no division with enough data, no model, no whitespace",
    6: "an artifact is not what a run wrote, or a leak was found",
    7: "another run holds the workspace",
}
KINDS: dict[Any, str] = {int: "whole number", float: "number", str: "text", Path: "path"}


def commands() -> dict[str, Any]:
    """Words of each command (``sample simulate``) -> the command, in the order of the help."""
    return dict(_walk(typer.main.get_command(app), ""))


def _walk(group: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        path = f"{words} {name}".strip()
        if hasattr(command, "commands"):
            yield from _walk(command, path)
        else:
            yield path, command


def commands_page() -> str:
    known = {error.exit_code for error in vars(errors).values() if isinstance(error, type)
             and issubclass(error, errors.GoSalesError)}  # fmt: skip
    assert known <= set(OTHER_CODES), "an exit code without a meaning"
    codes = table(["code", "meaning"], [[str(code), what] for code, what in OTHER_CODES.items()])
    parts = [INTRO + codes]
    parts += [_section(words, command) for words, command in commands().items()]
    return "\n".join(parts)


def _section(words: str, command: Any) -> str:
    hints = typing.get_type_hints(command.callback, include_extras=False)
    rows = [_row(one, hints.get(one.name)) for one in command.params if one.name != "help"]
    text = "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))
    options = f"\n{table(['option', 'takes', 'default', 'meaning'], rows)}" if rows else ""
    return f"\n## gosales {words}\n\n{text}\n{options}"


def _row(one: Any, hint: Any) -> list[str]:
    is_argument = not one.opts[0].startswith("-")
    name = one.name.upper() if is_argument else ", ".join(f"`{word}`" for word in one.opts)
    help_text = (one.help or "").rstrip(".")
    if getattr(one, "envvar", None):
        help_text += f"; environment: `{one.envvar}`"
    return [f"`{name}`" if is_argument else name, _kind(hint), _default(one), help_text]


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return "" if hint is bool else KINDS[hint]


def _default(one: Any) -> str:
    if one.required:
        return "required"
    if one.default in (None, False):
        return ""
    return f"`{one.default}`"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in r)} |\n" for r in lines)
