"""The handbook builds without a warning, and its pages need no network."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.generate.api import MODULES
from docs.generate.hooks import MARK
from tests.docs.pages import DOCS

ROOT = DOCS.parent
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Loads(HTMLParser):
    """The addresses that a browser loads by itself, in difference to links."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in LOADS and told.get("rel") not in ("canonical", "prev", "next"):
            self.addresses.append(told.get(LOADS[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "built"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    left_out = ("generate", "examples", "notebooks")
    written = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    pages = {path.with_suffix(".html") for path in written if path.parts[0] not in left_out}
    assert pages <= built
    assert not [path for path in site.rglob("*") if path.suffix in (".py", ".yaml")]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        loads = Loads()
        loads.feed(text)
        assert loads.addresses, file
        elsewhere = [a for a in loads.addresses if re.match(r"(\w+:)?//", a)]
        assert not elsewhere, f"{file.name}: {elsewhere}"
    for file in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", file.read_text(encoding="utf-8"))


def test_every_decision_is_in_the_menu(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert decisions
    for path in decisions:
        assert f"decisions/{path.stem}.html" in start, path.name


def test_every_export_is_in_the_api(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert MARK not in page
    for name in MODULES:
        assert f">{name}<" in page, name
        for export in importlib.import_module(name).__all__:
            thing = getattr(importlib.import_module(name), export)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                assert f'id="{thing.__module__}.{export}"' in page, export
