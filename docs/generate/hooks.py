"""Hooks of mkdocs: every decision is in the menu, and the Python API is made from the docstrings.

Those change with every second change of the code, so the API is made when the handbook is built
and not committed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["MARK", "on_config", "on_page_markdown"]

MARK = "<!-- the API stands here in the built handbook -->"


def on_config(config: Any) -> Any:
    folder = Path(config["docs_dir"])
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("decisions/*.md"))
    for part in config["nav"]:
        if "Decisions" in part:
            part["Decisions"] = found
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    if MARK not in markdown:
        return markdown
    root = str(Path(page.file.abs_src_path).parents[2])
    if sys.path[0] != root:  # mkdocs runs from anywhere, and others too have a folder docs
        sys.path.insert(0, root)
    from docs.generate.api import api

    return markdown.replace(MARK, api())
