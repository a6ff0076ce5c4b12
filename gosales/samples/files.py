"""What a sample leaves in a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SampleFiles"]


@dataclass(frozen=True)
class SampleFiles:
    """The files of a sample workspace and how to read them.

    ``config`` holds the settings in which the workspace differs from the defaults,
    nested as in config.yaml; ``notes`` what a person must know about the data, one
    sentence each; ``rows`` the data rows of the log, ``customers`` how many it has.
    """

    paths: tuple[Path, ...]
    config: dict[str, object]
    notes: tuple[str, ...]
    rows: int
    customers: int
