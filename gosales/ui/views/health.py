"""Which artifacts are there, whole and current, and what to run for those that are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gosales.errors import GoSalesError, IntegrityError, MissingArtifact, StaleArtifact
from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import (
    FEATURES,
    MATRIX,
    PROFILE,
    SCORE,
    STAR,
    TRAIN,
    WHITESPACE,
)

__all__ = ["GOOD", "Health", "health", "state_of"]

GOOD = "current"
STATES = {MissingArtifact: "missing", StaleArtifact: "stale", IntegrityError: "broken"}
STAGES = {
    "star": ("Curated data", STAR),
    "labels": ("Labels", "gosales labels"),
    "features": ("Features", FEATURES),
    "train": ("Models", TRAIN),
    "score": ("Scores", SCORE),
    "whitespace": ("Whitespace list", WHITESPACE),
    "matrix": ("Whitespace matrix", MATRIX),
    "profile": ("Ideal customers", PROFILE),
}
# Many and large: of these only what a size shows is looked at.
BULKY = ("labels", "features")


@dataclass(frozen=True)
class Health:
    """A stage's artifacts in a line; ``state`` is that of the worst."""

    name: str
    command: str
    state: str
    artifacts: int
    rows: int | None
    run_id: str
    told: str


def health(shelf: Shelf) -> list[Health]:
    """One line a stage, in the order of the pipeline."""
    return [_stage(shelf, stage, *STAGES[stage]) for stage in STAGES]


def state_of(error: GoSalesError | None) -> str:
    """``current``, ``missing``, ``stale`` or ``broken``."""
    if error is None:
        return GOOD
    return next((word for kind, word in STATES.items() if isinstance(error, kind)), "broken")


def _stage(shelf: Shelf, stage: str, name: str, command: str) -> Health:
    mine = {path: item for path, item in shelf.registry().items() if item.stage == stage}
    if not mine:
        return Health(name, command, "missing", 0, None, "", f"Not made yet. Run: {command}")
    worst, told = GOOD, ""
    for path, item in sorted(mine.items()):
        state, why = _state(shelf, shelf.workspace.root / path, item.size, command, stage)
        if _gravity(state) > _gravity(worst):
            worst, told = state, why
    newest = max(mine.values(), key=lambda item: item.run_id)
    rows = max((item.rows for item in mine.values() if item.rows is not None), default=None)
    return Health(name, command, worst, len(mine), rows, newest.run_id, told)


def _state(shelf: Shelf, path: Path, size: int, command: str, stage: str) -> tuple[str, str]:
    if stage in BULKY and path.is_file() and path.stat().st_size == size:
        return GOOD, ""
    error = shelf.failure(path, command)
    return state_of(error), "" if error is None else f"{error.message} {error.remedy}"


def _gravity(state: str) -> int:
    return (GOOD, "missing", "stale", "broken").index(state)
