from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gosales.workspace import Workspace
from tests.models.worlds import trained_workspace


@pytest.fixture
def trained() -> Workspace:
    """Trained and scored; for reading only."""
    return Workspace(trained_workspace())


@pytest.fixture
def copied(tmp_path: Path) -> Workspace:
    """A copy of the trained workspace that a test may spoil."""
    target = tmp_path / "copied"
    shutil.copytree(trained_workspace(), target)
    return Workspace(target)
