from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gosales.config import load_settings
from gosales.report import build_report, write_report
from gosales.report.build import BEST
from gosales.report.pdf import find_browser
from gosales.ui.views.opportunities import Ask, listed
from gosales.workspace import Workspace
from tests.conftest import Gosales
from tests.ui.made import open_shelf, spoil


class Reader(HTMLParser):
    """The tags and the addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.fixture(scope="module")
def page(demo: Workspace, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("report") / "deep" / "report.html"
    assert write_report(demo, load_settings(demo.root).settings, out) == [out]
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    return out.read_text(encoding="utf-8")


def test_it_is_one_file_that_asks_nothing_of_the_network(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.addresses == []
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert "svg" in reader.tags and "style" in reader.tags
    assert not re.search(r"https?://|url\(|@import", page)


def test_it_holds_the_first_rows_of_each_division(demo: Workspace) -> None:
    shelf = open_shelf(demo)
    report = build_report(shelf)
    assert report.best
    for division, rows in report.best:
        expected = listed(shelf, Ask(division=division, capacity=100)).column("rank").to_pylist()
        assert [row["rank"] for row in rows] == expected[:BEST]
    shelf.close()


def test_its_sums_are_those_of_the_list(demo: Workspace) -> None:
    shelf = open_shelf(demo)
    report = build_report(shelf)
    worth = listed(shelf, Ask()).column("expected_gp").to_pylist()
    shelf.close()
    assert report.made.rows == len(worth)
    assert report.made.expected_gp == pytest.approx(sum(worth))
    assert report.points[-1][0] == 1.0


def test_it_tells_of_models_and_data(page: str) -> None:
    for head in ("In short", "Can the models be trusted", "Can the data be trusted", "How to read"):
        assert head in page
    assert "In quarantine" in page and "Simple rule" in page


def test_the_same_workspace_gives_the_same_bytes(demo: Workspace, tmp_path: Path) -> None:
    settings = load_settings(demo.root).settings
    files = [write_report(demo, settings, tmp_path / f"{n}.html")[0] for n in (1, 2)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_report_is_whole_or_not_made(made: Workspace, gosales: Gosales, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("the last good one", encoding="utf-8")
    called = gosales("report", "--workspace", made.root, "--out", out)
    assert called.code == 4 and "gosales train" in called.err
    spoil(made.output("whitespace.parquet"))
    assert gosales("report", "--workspace", made.root, "--out", out).code == 6
    assert out.read_text(encoding="utf-8") == "the last good one"


def test_a_folder_is_no_report(demo: Workspace, gosales: Gosales, tmp_path: Path) -> None:
    called = gosales("report", "--workspace", demo.root, "--out", tmp_path)
    assert called.code == 2 and "is a folder" in called.err


def test_a_pdf_without_a_browser_is_one_clear_error(
    demo: Workspace, gosales: Gosales, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    called = gosales("report", "--workspace", demo.root, "--out", tmp_path / "report.html", "--pdf")
    assert called.code == 2 and "Chromium" in called.err
    assert (tmp_path / "report.html").is_file()


def test_a_browser_that_prints_nothing_is_one_clear_error(
    demo: Workspace, gosales: Gosales, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: shutil.os.path.realpath("/bin/false"))
    called = gosales("report", "--workspace", demo.root, "--out", tmp_path / "report.html", "--pdf")
    assert called.code == 2 and "printed no PDF" in called.err


@pytest.mark.skipif(find_browser() is None, reason="no Chromium")
def test_it_prints_to_pdf(demo: Workspace, gosales: Gosales, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    called = gosales("report", "--workspace", demo.root, "--out", out, "--pdf")
    assert called.code == 0, called.err
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-") and len(content) > 20_000
    assert "report.pdf" in called.out
