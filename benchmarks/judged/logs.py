"""The logs that are judged on: each becomes a workspace of its own, with its star built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gosales.config import load_settings
from gosales.errors import UsageError
from gosales.etl.build_star import build_star
from gosales.pipeline.setup import sample_completejourney, sample_simulated
from gosales.run import Run, open_run
from gosales.workspace import Workspace

__all__ = ["Log", "make_workspace", "opened"]

WINDOWS = {"completejourney": 3}
REFERENCE = ("customers*", "enrichment*")


@dataclass(frozen=True)
class Log:
    """A log by its name (``completejourney``, ``simulated``) or path, and how to read it.

    ``flags`` are settings as on the command line; ``sample`` the options of the simulator.
    """

    source: str
    title: str
    window_months: int
    flags: dict[str, Any] = field(default_factory=dict)
    sample: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: str,
        title: str | None,
        window_months: int | None,
        flags: dict[str, Any],
        sample: dict[str, Any],
    ) -> Log:
        months = window_months or WINDOWS.get(source, 6)
        known = source in ("completejourney", "simulated")
        return cls(
            source=source,
            title=title or (source if known else Path(source).resolve().stem),
            window_months=months,
            flags=flags | ({} if known else _sources(Path(source), flags)),
            sample=sample,
        )


def make_workspace(log: Log, root: Path) -> None:
    """The log, where it is ours to make, and the star."""
    root.mkdir(parents=True, exist_ok=True)
    if log.source == "completejourney":
        sample_completejourney(root)
    elif log.source == "simulated":
        sample_simulated(root, **log.sample)
    with opened(log, root) as run:
        build_star(run)


@contextmanager
def opened(log: Log, root: Path, **flags: Any) -> Iterator[Run]:
    """A run in the workspace; ``flags`` as ``run__cutoff_date``."""
    given = {name.replace("__", "."): value for name, value in flags.items()}
    every = log.flags | {"labels.window_months": log.window_months, "labels.mode": "expansion"}
    settings = load_settings(root, flags=every | given)
    with open_run(Workspace(root), settings, "quality") as run:
        yield run


def _sources(path: Path, flags: dict[str, Any]) -> dict[str, Any]:
    """A file is the log; in a folder, files named for customers say who they are."""
    path = path.resolve()
    if not path.exists():
        raise UsageError(
            f"There is no log at {path}.",
            "Give completejourney, simulated, or the path of a file or folder.",
        )
    if path.is_file() or "etl.sources" in flags:
        return {"etl.sources": [str(path)]} | flags
    reference = sorted({file for glob in REFERENCE for file in path.glob(glob) if file.is_file()})
    logs = [
        file
        for file in sorted(path.iterdir())
        if file not in reference
        and any(part in (".csv", ".tsv", ".parquet", ".xlsx") for part in file.suffixes)
    ]
    found: dict[str, Any] = {"etl.sources": [str(file) for file in logs]}
    if reference:
        found["etl.enrichment.sources"] = [str(file) for file in reference]
    return found | flags
