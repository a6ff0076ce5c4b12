"""The app in a real browser: every page, wide and narrow, light and dark."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gosales.config import load_settings
from gosales.report.pdf import find_browser
from gosales.ui.app import PAGES, create_app
from gosales.ui.views.opportunities import Ask, listed
from gosales.workspace import Workspace
from tests.ui.made import open_shelf

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium")
LOOKS = [(1280, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def site(demo: Workspace) -> Iterator[str]:
    """The app of the demo workspace, served as `gosales ui` does."""
    import uvicorn

    app = create_app(demo, load_settings(demo.root).settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root, as in a container, cannot have Chromium's sandbox.
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


class Watched:
    """A page with what went wrong on it and where it asked."""

    def __init__(self, chromium: Any, width: int = 1280, scheme: str = "light") -> None:
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))

    def _told(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # a download, or a page that was left
            self.troubles.append(f"{request.url}: {request.failure}")


@pytest.fixture
def watched(chromium: Any) -> Iterator[Watched]:
    one = Watched(chromium)
    yield one
    one.context.close()
    assert one.troubles == []
    assert one.hosts == {"127.0.0.1"}


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_sound_fits_and_can_be_used_by_everybody(
    site: str, chromium: Any, demo: Workspace, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    shelf = open_shelf(demo)
    best = listed(shelf, Ask()).to_pylist()[0]
    shelf.close()
    deep = [
        f"/account?id={best['customer_id']}",
        f"/models?division={best['division']}",
        "/matrix?customers=all",
        "/runs?id=nothing",
    ]
    one, axe = Watched(chromium, width, scheme), Axe()
    for path in [*PAGES, *deep]:
        one.page.goto(site + path)
        wide = one.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide"
        assert one.page.locator("h1").count() == 1, path
        found = axe.run(one.page, options={"resultTypes": ["violations"]}).response["violations"]
        bad = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        told = [(rule["id"], [node["html"][:120] for node in rule["nodes"][:3]]) for rule in bad]
        assert not told, f"{path}: {json.dumps(told, indent=1)}"
    one.context.close()
    assert [text for text in one.troubles if "404" not in text] == []
    assert one.hosts == {"127.0.0.1"}


def test_filters_change_the_list_and_the_address_keeps_them(site: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{site}/opportunities")
    division = page.locator("select[name=division] option").nth(1).inner_text()
    page.select_option("select[name=division]", division)
    page.wait_for_url("**/opportunities?division=*")
    shown = set(page.locator("table.list tbody td:nth-child(4)").all_inner_texts())
    assert shown <= {division}
    address, rows = page.url, page.locator("#rows").inner_text()
    page.goto(f"{site}/")
    page.goto(address)  # as a colleague opens it
    assert page.locator("select[name=division]").input_value() == division
    assert page.locator("#rows").inner_text() == rows


def test_the_slider_tells_what_more_work_brings(
    site: str, watched: Watched, demo: Workspace
) -> None:
    page = watched.page
    page.goto(f"{site}/opportunities")
    share = page.locator("#share")
    share.focus()
    before = page.locator("#worth").inner_text()
    share.press("End")
    page.wait_for_url("**/opportunities?capacity=100")
    shelf = open_shelf(demo)
    rows = listed(shelf, Ask(capacity=100)).num_rows
    shelf.close()
    page.wait_for_function(
        "rows => document.getElementById('rows').textContent === rows", arg=f"{rows:,}"
    )
    assert page.locator("#worth").inner_text() != before
    assert page.evaluate("document.activeElement.id") == "share"  # the keyboard stays there


def test_downloads_hold_what_is_shown_and_what_is_picked(site: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{site}/opportunities?capacity=100")
    boxes = page.locator("input[name=pick]")
    picked = [boxes.nth(0).get_attribute("value")]
    boxes.nth(0).check()
    page.locator("a[rel=next]").click()
    page.wait_for_url("**page=2*")
    picked.append(boxes.nth(2).get_attribute("value"))
    boxes.nth(2).check()
    assert page.locator("#count").inner_text() == "2"
    with page.expect_download() as coming:
        page.locator("#picks button[value=csv]").click()
    with Path(coming.value.path()).open(encoding="utf-8") as file:
        assert [row["rank"] for row in csv.DictReader(file)] == picked
    shown = int(page.locator("#rows").inner_text().replace(",", ""))
    with page.expect_download() as coming:
        page.locator("#csv").click()
    with Path(coming.value.path()).open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == shown


def test_from_the_list_to_the_account_and_its_reasons(site: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{site}/opportunities")
    link = page.locator("table.list tbody th a").first
    name = link.inner_text()
    sold = page.locator("table.list tbody td:nth-child(4)").first.inner_text()
    link.click()
    page.wait_for_url("**/account?id=*")
    assert page.locator("h1").inner_text() == name
    assert page.locator("#why").inner_text() == f"Why {sold}"
    assert page.locator("svg.chart").get_attribute("aria-label")


def test_the_theme_is_kept_and_the_keyboard_can_skip_the_menu(site: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{site}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.locator("#theme").click()
    page.locator("#theme").click()
    page.goto(f"{site}/models")
    assert page.locator("#theme").inner_text() == "Theme: dark"
    assert page.evaluate(paper) != before
