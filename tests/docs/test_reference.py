"""The reference is what the code says, and every file of a workspace is in it, column by column."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from docs.generate.__main__ import PAGES
from docs.generate.commands import commands
from docs.generate.hooks import on_config
from gosales.whitespace.outcome import OutcomeReport
from tests.docs.documented import KNOWN, faults, undocumented, written

DAY = dt.date(2024, 6, 30)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_current(path: Path) -> None:
    told = "Write it again: python -m docs.generate"
    assert path.read_text(encoding="utf-8") == PAGES[path](), told


def test_every_command_and_option_is_on_the_page() -> None:
    page = next(path for path in PAGES if path.name == "commands.md").read_text(encoding="utf-8")
    assert len(commands()) > 20
    for words, command in commands().items():
        assert f"## gosales {words}\n" in page
        for one in command.params:
            assert all(word in page for word in one.opts), (words, one.opts)


def test_the_menu_takes_in_every_decision(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    for name in ("0002-b.md", "0001-a.md"):
        (tmp_path / "decisions" / name).touch()
    found = on_config(
        {"docs_dir": str(tmp_path), "nav": [{"Start": "index.md"}, {"Decisions": []}]}
    )
    assert found["nav"][1] == {"Decisions": ["decisions/0001-a.md", "decisions/0002-b.md"]}


@pytest.mark.parametrize("name", ["demo_run", "tutorial"])
def test_every_file_is_documented_once_with_its_columns(
    name: str, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(name)
    assert len(written(root)) > 50
    assert not undocumented(root)


def test_every_key_of_an_outcome_is_documented() -> None:
    """No workspace of the handbook has orders after its list, so it comes from the code."""
    known = next(one for one in KNOWN if one.matches(f"gosales/outputs/outcome_{DAY}.json"))
    assert [c.name for c in known.columns] == [f.name for f in dataclasses.fields(OutcomeReport)]


def test_every_documented_file_is_written(demo_run: Path, tutorial: Path) -> None:
    """By the demo and the tutorial; what their commands do not make is made by how-to pages."""
    elsewhere = {
        "outcome_<since>.json", "leakage.json", "leakage.csv", "metrics.json", "gains.csv",
        "calibration.csv", "topk_scenarios.csv", "segment_performance.csv", "drift.json",
        "alerts.json", "validation_frame.parquet",
    }  # fmt: skip
    names = [name for root in (demo_run, tutorial) for name, _ in written(root)]
    missing = {
        Path(one.paths[0]).name for one in KNOWN if not any(one.matches(name) for name in names)
    }
    assert missing == elsewhere


def test_a_missing_column_and_an_undocumented_one_are_found(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.csv"
    path.write_text("k_percent,threshold,extra\n1,high,2\n")
    name = f"gosales/outputs/thresholds_whitespace_{DAY}.csv"
    assert [*faults(name, path)] == [
        f"{name}: count is documented and not there",
        f"{name}: expected_gp is documented and not there",
        f"{name}: threshold is text, not number",
        f"{name}: extra is not documented",
    ]
    assert [*faults("gosales/outputs/new.csv", path)] == [
        "gosales/outputs/new.csv: has 0 entries in docs/generate/artifacts"
    ]
