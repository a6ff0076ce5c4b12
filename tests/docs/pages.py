"""The handbook's pages as a reader meets them: fenced blocks in their order, and `inline` commands.

A block in bash is run, unless its title says otherwise:

- ``Not run by the tests: why``: only its commands and options are checked
- ``Ends with exit code N``: it is run, and must end so
- ``Runs until Ctrl+C``: it is started, asked for its page, and stopped

A block in yaml with the title ``config.yaml`` goes into the workspace's settings (``config.yaml,
all of it``: in their place). A text block shows lines of the output of the block before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

__all__ = ["DOCS", "NOT_RUN", "UNTIL", "Block", "Page", "inline_commands", "pages", "read_page"]

DOCS = Path(__file__).parents[2] / "docs"
NOT_RUN, UNTIL = "Not run by the tests: ", "Runs until Ctrl+C"
FENCE = re.compile(r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]*)\")?$")
LANGUAGES = {"bash", "text", "yaml", "python", "powershell", "sql", "csv", "cron"}


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str
    line: int

    @property
    def exit_code(self) -> int:
        found = re.fullmatch(r"Ends with exit code (\d)", self.title)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Page:
    """``runs_in``: where its commands are run; empty when it has none."""

    path: Path
    runs_in: str
    blocks: tuple[Block, ...]
    prose: str

    @property
    def name(self) -> str:
        return self.path.relative_to(DOCS).as_posix()


def pages() -> list[Page]:
    """Every page that a person wrote; decisions and notes on measurements hold no commands to
    follow, the reference is made from code."""
    written = [DOCS / "index.md", DOCS / "tutorial.md", DOCS / "notebooks.md"]
    written += [*(DOCS / "how-to").glob("*.md"), *(DOCS / "explanation").glob("*.md")]
    return [read_page(path) for path in sorted(written)]


def read_page(path: Path) -> Page:
    lines = path.read_text(encoding="utf-8").splitlines()
    about = {}
    if lines[0] == "---":
        end = lines.index("---", 1)
        about = yaml.safe_load("\n".join(lines[1:end]))
        lines = [""] * (end + 1) + lines[end + 1 :]
    blocks, prose, start = [], [], None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```"):
            head = FENCE.match(line)
            assert head and head["language"] in LANGUAGES, f"{path.name}:{number + 1}: {line}"
            start = number
        elif start is not None and line == "```":
            text = "\n".join(lines[start + 1 : number])
            blocks.append(Block(head["language"], head["title"] or "", text, start + 1))
            start = None
        elif start is None:
            prose.append(line)
    assert start is None, f"{path.name}: a block does not end"
    return Page(path, about.get("runs_in", ""), tuple(blocks), "\n".join(prose))


def inline_commands(page: Page) -> list[str]:
    return re.findall(r"`(gosales [^`]+)`", page.prose)
