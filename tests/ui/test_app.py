"""Pages as a browser gets them, without one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from gosales.config import load_settings
from gosales.run import open_run
from gosales.ui.app import PAGES, create_app
from gosales.ui.drawing import STATIC
from gosales.whitespace.matrix import build_matrix
from gosales.workspace import Workspace
from tests.ui.made import make_workspace, spoil

HERE = "http://127.0.0.1"


def open_client(workspace: Workspace, **flags: object) -> TestClient:
    settings = load_settings(workspace.root, flags=dict(flags)).settings
    return TestClient(create_app(workspace, settings), base_url=HERE)


@pytest.fixture(scope="module")
def client(demo: Workspace) -> Iterator[TestClient]:
    with open_client(demo) as opened:
        yield opened


def links(page: str) -> set[str]:
    found = re.findall(r'(?:href|src|action)="([^"#]*)', page)
    return {link.replace("&amp;", "&") for link in found if link}


def test_every_page_and_every_link_of_it_is_there_and_ours(client: TestClient) -> None:
    seen: dict[str, str] = {}
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        seen[path] = answer.text
    deeper = {link for page in seen.values() for link in sorted(links(page))[:25]}
    for link in sorted(deeper - set(seen) - {"/opportunities/picked"}):
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200, link


def test_pages_hold_no_style_script_or_address_of_others(client: TestClient) -> None:
    files = [path.read_text(encoding="utf-8") for path in STATIC.iterdir()]
    for text in [*(client.get(path).text for path in PAGES), *files]:
        outside = re.findall(r"https?://[^\s\"'<)]+", text)
        assert set(outside) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<script>|\son\w+=|<style|\sstyle=", text)


def test_the_download_is_the_list_as_the_artifact_has_it(
    client: TestClient, demo: Workspace
) -> None:
    answer = client.get("/opportunities.csv")
    assert 'filename="opportunities_' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    artifact = pq.read_table(demo.output("whitespace.parquet")).to_pylist()
    handed = [row for row in artifact if row["selected"] and not row["control"]]
    assert len(handed) < sum(row["selected"] for row in artifact)  # some are held back
    assert [row["rank"] for row in rows] == [str(row["rank"]) for row in handed]
    for shown, row in zip(rows, handed, strict=True):
        assert shown["customer_id"] == row["customer_id"]
        assert shown["division"] == row["whitespace_division"]
        assert float(shown["probability"]) == row["icp_score"]
        assert float(shown["expected_gp"]) == row["expected_gp"]


def test_excel_and_csv_hold_the_same_rows(client: TestClient) -> None:
    query = "?capacity=3&sort=worth"
    sheet = openpyxl.load_workbook(
        io.BytesIO(client.get(f"/opportunities.xlsx{query}").content)
    ).worksheets[0]
    rows = list(csv.reader(io.StringIO(client.get(f"/opportunities.csv{query}").text)))
    told = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert told[0] == rows[0] and len(told) == len(rows)
    assert [str(line[0]) for line in told[1:]] == [line[0] for line in rows[1:]]


def picked(client: TestClient, **form: str) -> object:
    page = client.get("/opportunities").text
    found = re.search(r'name="list" value="(\w+)"', page)
    assert found is not None
    return client.post("/opportunities/picked", data={"list": found[1], "owned": "no"} | form)


def test_picked_rows_are_downloaded_alone(client: TestClient) -> None:
    shown = csv.DictReader(io.StringIO(client.get("/opportunities.csv").text))
    first, _, third = (next(shown)["rank"] for _ in range(3))
    answer = picked(client, pick=f"{third},{first}", format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))  # type: ignore[attr-defined]
    assert [row["rank"] for row in rows] == [first, third]


@pytest.mark.parametrize(
    ("form", "told"),
    [({"pick": ""}, "Nothing is picked"), ({"pick": "1", "list": "0"}, "made again")],
)
def test_a_pick_that_means_nothing_is_refused(
    client: TestClient, form: dict[str, str], told: str
) -> None:
    answer = picked(client, **form)
    assert answer.status_code == 409 and told in answer.text  # type: ignore[attr-defined]


def test_names_are_escaped_in_pages_and_disarmed_in_files(made: Workspace) -> None:
    with open_client(made) as client:
        page = client.get("/opportunities?search=evil&capacity=100").text
        assert "=Evil &amp; &lt;b&gt;Sons&lt;/b&gt;" in page and "<b>Sons" not in page
        rows = csv.DictReader(io.StringIO(client.get("/opportunities.csv?search=evil").text))
        assert {row["customer_name"] for row in rows} <= {"'=Evil & <b>Sons</b>"}
        odd = client.get('/opportunities?search="><script>alert(1)</script>').text
        assert "<script>alert" not in odd


@pytest.mark.parametrize("path", ["/account?id=nobody", "/models?division=No", "/runs?id=x", "/no"])
def test_what_is_not_there_is_said_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "Not found" in answer.text


def test_another_name_in_the_host_header_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "localhost:8600"}).status_code == 200


def test_an_empty_workspace_says_what_to_run_on_every_page(tmp_path) -> None:
    with open_client(Workspace(tmp_path)) as client:
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200 and "gosales" in answer.text
        assert "gosales run" in client.get("/").text
        assert "gosales score" in client.get("/opportunities").text
        assert client.get("/opportunities.csv").status_code == 409


def test_a_partial_workspace_shows_what_it_has(made: Workspace) -> None:
    with open_client(made) as client:
        assert "Opportunities" in client.get("/").text
        assert "gosales matrix" in client.get("/matrix").text
        assert "gosales train" in client.get("/models").text
        assert "gosales profile" in client.get("/ideal").text
        assert client.get("/account?id=C001").status_code == 200


def test_without_region_rep_and_industry_nothing_asks_for_them(tmp_path) -> None:
    workspace = make_workspace(tmp_path, described=False)
    with open_run(workspace, load_settings(tmp_path), "test") as run:
        build_matrix(run)
    with open_client(workspace) as client:
        told = client.get("/opportunities").text
        assert 'name="division"' in told and 'name="grade"' in told
        assert not any(name in told for name in ("Region", "Rep<", "Industry"))
        for address in ("/matrix", "/matrix?by=region"):
            told = client.get(address).text
            assert "Customer C001" in told and "Grouped by" not in told


def test_a_broken_artifact_is_not_shown_but_named(made: Workspace) -> None:
    spoil(made.output("whitespace.parquet"))
    with open_client(made) as client:
        told = client.get("/opportunities").text
        assert "cannot be trusted" in told and "sha256" in told and "gosales whitespace" in told
        assert "broken" in client.get("/").text


def test_numbers_are_written_as_the_settings_say(made: Workspace) -> None:
    with open_client(made, **{"ui.locale": "de_DE", "ui.currency": "EUR"}) as client:
        page = client.get("/account?id=C001").text
    assert '<html lang="de-DE">' in page
    assert re.search(r"\d\xa0€", page)
