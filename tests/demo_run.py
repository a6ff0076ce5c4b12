"""`gosales demo`, run once for the whole suite: the dearest thing in it, so that tests share it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gosales.cli import main
from gosales.settings import Section
from tests.made_once import made_once

__all__ = ["COMMAND", "settings_read", "shared_demo", "watched"]

READ = "settings-read.json"
CUSTOMERS = 250
# As the tutorial has it.
COMMAND = f"gosales demo --customers {CUSTOMERS}"


def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's workspace, for reading only."""

    def make(folder: Path) -> None:
        out = folder / "gosales-demo"
        read = watched(lambda: _call("demo", "--customers", CUSTOMERS, "--out", out))
        (folder / READ).write_text(json.dumps(sorted(read)), encoding="utf-8")

    return made_once(tmp_path_factory, "demo", make) / "gosales-demo"


def settings_read(demo: Path) -> set[tuple[str, str]]:
    """(section, key) of every setting that the demo read."""
    listed = json.loads(demo.with_name(READ).read_text(encoding="utf-8"))
    return {(section, key) for section, key in listed}


def watched(action: Callable[[], Any]) -> set[tuple[str, str]]:
    """(section, key) of every setting that is read while the action runs."""
    found: set[tuple[str, str]] = set()
    plain = Section.__getattribute__

    def reading(self: Section, name: str) -> Any:
        if name in type(self).model_fields:
            found.add((type(self).__name__, name))
        return plain(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "__getattribute__", reading)
        action()
    return found


def _call(*arguments: object) -> None:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        assert not end.code, f"gosales {arguments}: {end.code}"
