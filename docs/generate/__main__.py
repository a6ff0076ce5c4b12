"""Writes the pages of the reference that are made from code; tests hold them current."""

from __future__ import annotations

from pathlib import Path

from docs.generate.artifacts import artifacts_page
from docs.generate.commands import commands_page

__all__ = ["PAGES"]

REFERENCE = Path(__file__).parents[1] / "reference"
PAGES = {
    REFERENCE / "commands.md": commands_page,
    REFERENCE / "artifacts.md": artifacts_page,
}

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        print(f"Written: {path.relative_to(Path.cwd())}")
