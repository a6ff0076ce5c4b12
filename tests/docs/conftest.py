"""The workspace that the tutorial leaves behind; other pages go on from a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, read_page
from tests.docs.reader import Reader
from tests.made_once import made_once


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory, demo_run: Path) -> Path:
    """The workspace of one's own log after every step of the tutorial; for reading only."""

    def make(folder: Path) -> None:
        clone = folder / "clone"
        clone.mkdir()
        (clone / "docs").symlink_to(DOCS)
        reader = Reader(clone, demo_run)
        reader.follow(read_page(DOCS / "tutorial.md"))
        assert reader.place == folder / "mycompany"

    return made_once(tmp_path_factory, "tutorial", make) / "mycompany"
