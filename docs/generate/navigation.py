"""A hook of mkdocs: every decision is in the menu, in the order of its number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["on_config"]


def on_config(config: Any) -> Any:
    folder = Path(config["docs_dir"])
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("decisions/*.md"))
    for part in config["nav"]:
        if "Decisions" in part:
            part["Decisions"] = found
    return config
