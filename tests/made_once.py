"""What is dear to make is made once a session, by whichever of its workers needs it first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

__all__ = ["made_once"]


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """The folder that ``make`` filled; for reading only. A failed attempt is not repeated."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, failed = base / name, base / f"{name}.failed"
    with FileLock(base / f"{name}.lock"):
        if failed.exists():
            pytest.fail(failed.read_text(encoding="utf-8"))
        if not folder.exists():
            failed.write_text(f"{name} could not be made; see the first failure", encoding="utf-8")
            folder.mkdir()
            make(folder)
            failed.unlink()
    return folder
