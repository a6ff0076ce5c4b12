"""Every file that GoSales writes: its place, what makes it, and the meaning of each column.

What a column means stands in ``artifacts/*.yaml`` beside this file, ``[type, meaning]`` a column;
``<word>`` in a path or a column stands for any. A test reads the files of real workspaces: each
has its entry here, and each of its columns is named there with the type that it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from docs.generate.commands import table
from gosales.handover.fields import FIELDS

__all__ = ["Artifact", "Column", "artifacts", "artifacts_page"]

DECLARED = Path(__file__).with_name("artifacts")
# The types of the fields of a handed-out row; their meaning stands with the code.
HANDED = {
    "rank": "whole number", "probability": "number", "probability_percent": "whole number",
    "expected_gp": "number", "deal_value": "number", "score": "number", "cutoff": "date",
    "close_date": "date",
}  # fmt: skip
INTRO = """# Artifacts

Made by `python -m docs.generate`; a test holds every file of a workspace and each of its columns
against it.

Paths are relative to the workspace. `<division>` is the division's slug: lower case, everything
but letters and digits as one `_` (`Success Plan` is `success_plan`), and six digits of a hash where
the name is in another script (`Краски` is `_c2ee46`). `<cutoff>` is `YYYY-MM-DD`.
From DuckDB a Parquet artifact is one file, from Spark a folder of part files at the same path.

Types: *money* is `decimal(18, 4)`, exact; *number* is a float; *0/1* a small integer; in CSV a
date is `YYYY-MM-DD` and nothing is an empty cell. Text in a CSV that a spreadsheet would take for
a formula has a `'` before it.
"""


@dataclass(frozen=True)
class Column:
    """A column of a table, or a key of a JSON object."""

    name: str
    kind: str
    meaning: str
    optional: bool = False

    @property
    def is_pattern(self) -> bool:
        return "<" in self.name

    def matches(self, name: str) -> bool:
        wanted = self.name.replace("<feature>", "<a>__<b>__<c>__<d>")
        return re.fullmatch(_pattern(wanted, ".+"), name) is not None


@dataclass(frozen=True)
class Artifact:
    """One or more files of one form; ``chapter`` is the part of the page it stands in."""

    chapter: str
    paths: tuple[str, ...]
    made_by: str
    what: str
    columns: tuple[Column, ...]

    def matches(self, path: str) -> bool:
        return any(re.fullmatch(_pattern(one, "[^/]+?"), path) for one in self.paths)


def artifacts() -> list[Artifact]:
    return [one for file in sorted(DECLARED.glob("*.yaml")) for one in _read(file)]


def _read(file: Path) -> Iterator[Artifact]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for one in content["artifacts"]:
        columns = [
            Column(name, told[0], told[1], "optional" in told[2:])
            for name, told in one.get("columns", {}).items()
        ]
        if one.get("fields") == "handover":
            columns += [Column(name, HANDED.get(name, "text"), FIELDS[name]) for name in FIELDS]
        yield Artifact(
            content["title"], tuple(one["paths"]), one["made_by"], one["what"], tuple(columns)
        )


def _pattern(text: str, anything: str) -> str:
    day = r"\d{4}-\d\d-\d\d"
    known = {"<cutoff>": day, "<since>": day}
    if anything != ".+":  # in a path, a division is a slug
        known["<division>"] = "[a-z0-9_]+"
    parts = re.split(r"(<[a-z_ ]+>)", text)
    return "".join(
        known.get(part, anything) if part.startswith("<") else re.escape(part) for part in parts
    )


def _title(path: Path) -> str:
    """Its name; the folder before it where that tells two of one name apart."""
    return f"{path.parent.name}/{path.name}" if path.name == "sales_log.parquet" else path.name


def artifacts_page() -> str:
    parts = [INTRO]
    chapter = ""
    for one in artifacts():
        if one.chapter != chapter:
            chapter = one.chapter
            parts.append(f"## {chapter}\n")
        title = _title(Path(one.paths[0]))
        paths = "<br>".join(f"`{path}`" for path in one.paths)
        parts.append(f"### {title.replace('<', '&lt;')}\n\n{paths}\n\n{one.what.strip()}\n")
        parts.append(f"Made by `{one.made_by}`.\n" if one.made_by.startswith("gosales") else
                     f"Made by {one.made_by}.\n")  # fmt: skip
        if one.columns:
            key = "key" if one.paths[0].endswith(".json") else "column"
            rows = [[f"`{c.name}`", c.kind, c.meaning] for c in one.columns]
            parts.append(table([key, "type", "meaning"], rows))
    return "\n".join(parts)
