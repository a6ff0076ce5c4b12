"""Lesson: a configuration key that nothing reads, or a toggle that does nothing, may not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from gosales.config import load_settings
from gosales.settings import Settings
from gosales.ui.app import create_app
from gosales.ui.server import listen
from gosales.workspace import Workspace
from tests.demo_run import settings_read, watched

# Read only where there is something to read them for: Spark, and timestamps with an offset.
ELSEWHERE = {("database", "spark"), ("etl", "coerce_dates_tz")}


def test_a_run_reads_every_key(demo_run: Path) -> None:
    expected = {owner(path) for path in Settings.leaves() if path not in ELSEWHERE}
    read = settings_read(demo_run) | watched(lambda: look_at_it(Workspace(demo_run)))
    assert expected - read == set()


def look_at_it(place: Workspace) -> None:
    """What `gosales ui` does with its settings before the first page is asked for."""
    settings = load_settings(place.root, flags={"ui.port": 0}).settings
    with listen(settings.ui), TestClient(create_app(place, settings)):
        pass


def owner(path: tuple[str, ...]) -> tuple[str, str]:
    """The class that holds a key and the key; a grid is read as a whole."""
    kind: Any = Settings
    for part in path[:-1]:
        if part.endswith("_grid"):
            return kind.__name__, part
        kind = kind.model_fields[part].annotation
    return kind.__name__, path[-1]
