from __future__ import annotations

import csv
import datetime as dt
import sys

import openpyxl
import pyarrow.parquet as pq
import pytest

from gosales.errors import ConfigError, MissingArtifact, MissingExtraError, UsageError
from gosales.handover import hand_over
from gosales.run import Run
from tests.conftest import Gosales, OpenRun
from tests.handover.conftest import write_list
from tests.whitespace.lists import LAST, rows_of

ALL = ["salesforce", "hubspot", "parquet", "excel"]
FLAGS = {"whitespace.control_share": 0.2, "whitespace.capacity_percent": 100}


def rows(run: Run, name: str) -> list[dict[str, str]]:
    path = run.workspace.output("handover") / name
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_list_goes_out_without_the_control_group(run_in: OpenRun) -> None:
    with run_in(**FLAGS) as run:
        write_list(run)
        report = hand_over(run, ALL)
        listed = rows_of(run.workspace)
        salesforce, hubspot = rows(run, f"salesforce_{LAST}.csv"), rows(run, f"hubspot_{LAST}.csv")
        table = pq.read_table(run.workspace.output("handover") / f"list_{LAST}.parquet")
    handed = [row["customer_id"] for row in listed if row["selected"] and not row["control"]]
    assert report.rows == len(handed) == 16
    assert [row["Account Number"] for row in salesforce] == handed
    assert [row["Customer ID"] for row in hubspot] == handed
    assert table.column("customer_id").to_pylist() == handed
    first, ours = salesforce[0], next(row for row in listed if row["customer_id"] == handed[0])
    assert first["Stage"] == "Prospecting"
    assert first["Opportunity Name"] == f"Beta for Customer {handed[0]}"
    assert first["Close Date"] == "2024-06-30"
    # Salesforce multiplies amount and probability itself.
    deal = ours["expected_gp"] / ours["icp_score"]
    assert float(first["Amount"]) == pytest.approx(deal, abs=0.01)
    assert int(first["Probability (%)"]) == round(100 * ours["icp_score"])


def test_the_mapping_is_the_settings(run_in: OpenRun) -> None:
    flags = FLAGS | {"handover.salesforce": {"Who": "customer_name", "Kind": "=New"}}
    with run_in(**flags) as run:
        write_list(run)
        hand_over(run, ["salesforce"])
        found = rows(run, f"salesforce_{LAST}.csv")
    assert set(found[0]) == {"Who", "Kind"} and found[0]["Kind"] == "New"
    with run_in(**FLAGS | {"handover.hubspot": {"Who": "nobody"}}) as run:
        with pytest.raises(ConfigError, match=r"handover.hubspot: 'nobody' is no field"):
            hand_over(run)
        assert not (run.workspace.output("handover") / f"hubspot_{LAST}.csv").exists()


def test_the_workbook_has_filters_and_formats_and_no_formulas(run_in: OpenRun) -> None:
    with run_in(**FLAGS) as run:
        write_list(run)
        hand_over(run, ["excel"])
        path = run.workspace.output("handover") / f"whitespace_{LAST}.xlsx"
        before = path.read_bytes()
        hand_over(run, ["excel"])
        assert path.read_bytes() == before
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["List", "Customers x divisions", "Open market"]
    sheet = book["List"]
    head = [cell.value for cell in sheet[1]]
    assert sheet.auto_filter.ref == f"A1:O{sheet.max_row}" and sheet.freeze_panes == "A2"
    assert sheet.max_row == 17
    cells = dict(zip(head, sheet[2], strict=True))
    assert cells["probability"].number_format == "0%"
    assert cells["expected_gp"].number_format == "#,##0"
    assert cells["close_date"].value == dt.datetime(2024, 6, 30)
    assert cells["close_date"].number_format == "yyyy-mm-dd"
    for page in book:
        assert all(cell.data_type != "f" for row in page for cell in row)


def test_excel_without_its_writer_names_the_extra(
    run_in: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with run_in(**FLAGS) as run:
        write_list(run)
        with pytest.raises(MissingExtraError, match="extra 'excel'"):
            hand_over(run, ["excel"])


def test_clear_errors(run_in: OpenRun, gosales: Gosales, workspace) -> None:
    with run_in() as run, pytest.raises(MissingArtifact, match="gosales whitespace"):
        hand_over(run)
    with run_in() as run, pytest.raises(UsageError, match="'word' is no hand-over format"):
        hand_over(run, ["word"])
    called = gosales("handover", "--workspace", workspace.root, "--format", "csv")
    assert called.code == 2 and "salesforce, hubspot, parquet, excel" in called.err
