"""Lesson: a configuration key that nothing reads, or a toggle that does nothing, may not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from gosales.config import load_settings
from gosales.pipeline.run_all import run_all
from gosales.run import open_run
from gosales.samples.sales_log import SimulationSpec, write_workspace
from gosales.settings import Section, Settings
from gosales.ui.app import create_app
from gosales.ui.server import listen
from gosales.workspace import Workspace

# Read only where there is something to read them for: Spark, and timestamps with an offset.
ELSEWHERE = {("database", "spark"), ("etl", "coerce_dates_tz")}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """Collects (section, key) of every setting that is read."""
    found: set[tuple[str, str]] = set()
    plain = Section.__getattribute__

    def watched(self: Section, name: str) -> Any:
        if name in type(self).model_fields:
            found.add((type(self).__name__, name))
        return plain(self, name)

    monkeypatch.setattr(Section, "__getattribute__", watched)
    yield found


def test_a_run_reads_every_key(tmp_path, read: set[tuple[str, str]]) -> None:
    write_workspace(SimulationSpec(customers=250, seed=2), tmp_path)
    place = Workspace(tmp_path)
    expected = {owner(path) for path in Settings.leaves() if path not in ELSEWHERE}
    with open_run(place, load_settings(place.root), "test") as run:
        run_all(run)
    look_at_it(place)
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
