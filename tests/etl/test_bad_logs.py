"""Each fault that a log can have gets the right answer: exit code, message, counts, old star."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from gosales.etl.text_files import PIECE
from gosales.workspace import Workspace
from tests.conftest import Gosales
from tests.etl.logs import (
    LONG,
    adds_up,
    checksums,
    configure,
    counts,
    csv_text,
    facts,
    long_rows,
    put,
    quarantine,
    total,
    violations,
)

WIDE = ["Invoice", "CustomerId", "Customer", "Rec Date", "Division", "PDM", "PDM_Qty", "Training",
        "Training_Qty", "Simulation", "Simulation_Qty"]  # fmt: skip
WIDE_ROW = ["I1", "100", "Acme", "2024-03-05", "PDM", "$1,200.00", "2", "", "", "0.00", "0"]


@pytest.fixture
def good_star(gosales: Gosales, workspace: Workspace) -> dict[str, str]:
    """A star from a good log, whose checksums must outlive every bad one."""
    put(workspace, "log.csv", csv_text(long_rows()))
    assert gosales("star", "--workspace", workspace.root).code == 0
    return checksums(workspace)


def refused(
    gosales: Gosales, workspace: Workspace, good: dict[str, str], *said: str, code: int = 3
) -> None:
    """The run stops, says what is wrong and where, and the star is as it was."""
    before = workspace.fact.read_bytes()
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == code
    for words in said:
        assert words in called.err
    assert "Traceback" not in called.err
    assert workspace.fact.read_bytes() == before
    assert checksums(workspace) == good
    assert workspace.violations.is_file()


def test_missing_required_column(gosales, workspace, good_star) -> None:
    header = [name if name != "Rec Date" else "When" for name in LONG]
    put(workspace, "log.csv", csv_text(long_rows(), header))
    refused(gosales, workspace, good_star, "log.csv", "order_date", "etl.source_columns")
    assert violations(workspace)[0]["rule"] == "required_column"


def test_unknown_column_in_a_wide_log_is_an_error_unless_allowed(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text([[*WIDE_ROW, "x"]], [*WIDE, "Notes"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "'Notes'" in called.err and "allow_unknown_columns" in called.err
    assert violations(workspace)[0]["rule"] == "unknown_column"
    configure(workspace, "etl: {allow_unknown_columns: true}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "'Notes'" in called.err
    assert facts(workspace)[0]["gross_profit"] == Decimal("1200.0000")


def test_unknown_column_in_a_long_log_is_a_warning(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text([[*row, "x"] for row in long_rows()], [*LONG, "Mood"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "'Mood'" in called.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (csv_text([]).encode(), "a header and no rows"),
        (b"\x00\x01\x02\xff\xfe\x00binary" * 200, "not a text file"),
        (b"PK\x03\x04" + b"\x00" * 100, "Excel workbook"),
        (csv_text(long_rows(), delimiter="^").encode(), "etl.delimiter"),
    ],
    ids=["empty", "blank", "header only", "binary", "workbook named csv", "wrong delimiter"],
)
def test_files_that_hold_no_log(gosales, workspace, good_star, content, said) -> None:
    put(workspace, "log.csv", content)
    refused(gosales, workspace, good_star, "log.csv", said)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_common_delimiters_are_found(gosales, workspace, good_star, delimiter) -> None:
    put(workspace, "log.csv", csv_text(long_rows(), delimiter=delimiter))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert checksums(workspace) == good_star


def test_a_configured_delimiter_is_used(gosales, workspace, good_star) -> None:
    put(workspace, "log.csv", csv_text(long_rows(), delimiter="^"))
    configure(workspace, 'etl: {delimiter: "^"}\n')
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert checksums(workspace) == good_star


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_found(gosales, workspace, encoding) -> None:
    rows = long_rows()
    rows[0][2] = rows[4][2] = rows[8][2] = "Café Müller"
    put(workspace, "log.csv", csv_text(rows).encode(encoding))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    import pyarrow.parquet as pq

    names = pq.read_table(workspace.dim("customer")).column("customer_name").to_pylist()
    assert "Café Müller" in names
    assert ("not UTF-8" in called.err) == (encoding == "cp1252")


def test_gzip_and_tsv(gosales, workspace, good_star) -> None:
    (workspace.data / "raw" / "log.csv").unlink()
    put(workspace, "a.csv.gz", gzip.compress(csv_text(long_rows()[:6]).encode()))
    put(workspace, "b.tsv", csv_text(long_rows()[6:], delimiter="\t"))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert checksums(workspace) == good_star


def test_a_cell_longer_than_what_is_parsed_at_a_time(gosales, workspace) -> None:
    rows = long_rows()
    longest = PIECE + 1000
    rows[5].append("x" * longest)
    for row in (*rows[:5], *rows[6:]):
        row.append("y")
    put(workspace, "log.csv", csv_text(rows, [*LONG, "Mood"]))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert len(facts(workspace)) == len(rows)
    staged = pq.read_table(workspace.staging).sort_by("source_row")
    assert [len(cell) for cell in staged["Mood"].to_pylist()] == [1] * 5 + [longest] + [1] * 6
    assert staged["source_row"].to_pylist() == list(range(1, len(rows) + 1))


def test_a_broken_gzip(gosales, workspace, good_star) -> None:
    put(workspace, "z.csv.gz", gzip.compress(csv_text(long_rows()).encode())[:40])
    refused(gosales, workspace, good_star, "z.csv.gz")


BAD_CELLS = [
    ("bad_date", 3, "31/31/2024", "31/31/2024"),
    ("null_date", 3, "", ""),
    ("bad_amount", 7, "abc", "abc"),
    ("bad_amount", 7, "1,23.4", "1,23.4"),
    ("bad_quantity", 6, "two", "two"),
    ("null_customer", 1, "  ", ""),
    ("null_customer", 1, "NULL", ""),
    ("null_product", 4, "", ""),
    ("date_out_of_bounds", 3, "1900-01-01", "1900-01-01"),
    ("null_division", 5, "", "Bolt"),
]


@pytest.mark.parametrize(("rule", "column", "text", "value"), BAD_CELLS)
def test_lesson_every_row_is_curated_or_quarantined_with_its_reason(
    gosales, workspace, good_star, rule, column, text, value
) -> None:
    rows = long_rows()
    rows[3][column] = text
    rows[9][column] = text
    if rule == "null_division":
        rows[3][4] = rows[9][4] = "Bolt"
    put(workspace, "log.csv", csv_text(rows))
    refused(gosales, workspace, good_star, "2 of 12 rows", rule, "log.csv, row 4", "--fail-soft")
    found = [row for row in violations(workspace) if row["severity"] == "error"]
    assert [(row["rule"], row["source_row"], row["value"]) for row in found] == [
        (rule, "4", value),
        (rule, "10", value),
    ]
    aside = quarantine(workspace)
    assert [(row["rule"], row["source_row"]) for row in aside] == [(rule, 4), (rule, 10)]
    assert aside[0]["Invoice"] == rows[3][0]
    called = gosales("star", "--workspace", workspace.root, "--fail-soft")
    assert called.code == 0
    assert "12 read = 10 curated + 2 quarantined" in called.out
    assert len(facts(workspace)) == 10
    assert counts(workspace) == {"read": 12, "curated": 10, rule: 2}


def test_future_dates(gosales, workspace, good_star) -> None:
    rows = long_rows()
    rows[0][3] = (dt.date.today() + dt.timedelta(days=2)).isoformat()
    put(workspace, "log.csv", csv_text(rows))
    refused(gosales, workspace, good_star, "future_date", "row 1")


def test_a_rate_of_violations_may_be_allowed(gosales, workspace) -> None:
    rows = long_rows()
    rows[0][7] = "abc"
    put(workspace, "log.csv", csv_text(rows))
    configure(workspace, "etl: {max_violation_rate: 0.1}\n")
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert counts(workspace) == {"read": 12, "curated": 11, "bad_amount": 1}
    configure(workspace, "etl: {max_violation_rate: 0.05}\n")
    assert gosales("star", "--workspace", workspace.root, "--rebuild").code == 3


def test_violations_are_listed_up_to_the_most_and_counted_beyond(gosales, workspace) -> None:
    rows = long_rows()
    for row in rows[:8]:
        row[7] = "abc"
    put(workspace, "log.csv", csv_text(rows))
    configure(workspace, "etl: {max_violation_rows: 3}\n")
    assert gosales("star", "--workspace", workspace.root).code == 3
    assert len([row for row in violations(workspace) if row["severity"] == "error"]) == 3
    assert counts(workspace)["bad_amount"] == 8


def test_a_row_that_breaks_several_rules_is_one_quarantined_row(gosales, workspace) -> None:
    rows = long_rows()
    rows[2] = ["", "", "", "never", "", "", "x", "y"]
    put(workspace, "log.csv", csv_text(rows))
    assert gosales("star", "--workspace", workspace.root, "--fail-soft").code == 0
    assert [row["rule"] for row in quarantine(workspace)] == ["null_customer"]
    rules = {row["rule"] for row in violations(workspace) if row["severity"] == "error"}
    assert rules == {"null_customer", "null_product", "bad_date", "bad_amount", "bad_quantity"}
    assert adds_up(workspace)


def test_duplicates_of_a_declared_key_are_errors(gosales, workspace, good_star) -> None:
    rows = long_rows()
    rows[1][0], rows[1][4], rows[1][5] = rows[0][0], rows[0][4], rows[0][5]
    put(workspace, "log.csv", csv_text(rows))
    configure(workspace, "etl: {unique_keys: [invoice_id, product_sku]}\n")
    refused(gosales, workspace, good_star, "duplicate_key", "I000, Bolt")
    assert gosales("star", "--workspace", workspace.root, "--fail-soft").code == 0
    assert counts(workspace) == {"read": 12, "curated": 10, "duplicate_key": 2}


def test_of_identical_duplicates_of_a_key_one_is_kept(gosales, workspace, good_star) -> None:
    rows = long_rows()
    put(workspace, "log.csv", csv_text([*rows, rows[5], rows[5]]))
    configure(workspace, "etl: {unique_keys: [invoice_id, product_sku]}\n")
    assert gosales("star", "--workspace", workspace.root, "--fail-soft").code == 0
    assert counts(workspace) == {"read": 14, "curated": 12, "duplicate_key": 2}
    assert checksums(workspace)["fact_transactions"] == good_star["fact_transactions"]


def test_an_unknown_unique_key_is_a_configuration_error(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    configure(workspace, "etl: {unique_keys: [invoice]}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "unique_keys" in called.err and "invoice_id" in called.err


def test_lesson_rows_alike_are_kept_and_counted(gosales, workspace, good_star) -> None:
    before = total(facts(workspace))
    rows = long_rows()
    put(workspace, "log.csv", csv_text([*rows, rows[5]]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "1 source rows repeat" in called.err
    assert total(facts(workspace)) == before + Decimal(rows[5][7])
    ids = [row["transaction_id"] for row in facts(workspace)]
    assert len(set(ids)) == len(ids) == 13


def test_a_product_in_two_divisions_is_a_warning_and_each_line_keeps_its_own(
    gosales, workspace
) -> None:
    rows = long_rows()
    rows[0][5] = "Learning"
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "product 'Bolt' is in 2 divisions (1 of 4 lines" in called.err
    bolts = [row["product_division"] for row in facts(workspace) if row["product_sku"] == "Bolt"]
    assert sorted(bolts) == ["Learning", "Parts", "Parts", "Parts"]


def test_the_sku_map_overrules_both(gosales, workspace) -> None:
    rows = long_rows()
    rows[0][5] = "Learning"
    put(workspace, "log.csv", csv_text(rows))
    lookup = workspace.data / "lookup" / "sku_map_overrides.csv"
    lookup.parent.mkdir(parents=True)
    lookup.write_text("product_sku,qty_column,division\nBolt,,Fasteners\n", encoding="utf-8")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "4 lines say another division than the SKU map; the map wins" in called.err
    bolts = {row["product_division"] for row in facts(workspace) if row["product_sku"] == "Bolt"}
    assert bolts == {"Fasteners"}


def test_a_division_that_is_nearly_another_is_told(gosales, workspace) -> None:
    rows = long_rows(61)
    rows[0][5] = "Part"
    rows[1][5] = "Parts 2"
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert "division 'Part' (1 lines) is nearly 'Parts' (39)" in called.err
    assert "'Parts 2'" not in "".join(
        line for line in called.err.splitlines() if "is nearly" in line
    )


def test_months_without_an_order_are_told_where_others_are_busy(gosales, workspace) -> None:
    months = ("2023-11", "2023-12", "2024-03")
    rows = [
        [*row[:3], f"{month}-{1 + n % 28:02d}", *row[4:]]
        for month in months
        for n, row in enumerate(long_rows(25))
    ]
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert "no order in 2 months between others (2024-01, 2024-02)" in called.err
    put(workspace, "log.csv", csv_text(rows[::5]))
    assert "between others" not in gosales("star", "--workspace", workspace.root).err


def test_an_amount_that_is_too_large_is_a_bad_one_not_a_blank_one(gosales, workspace) -> None:
    rows = long_rows()
    rows[3][7] = "99999999999999999999.00"
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "row 4: bad_amount '99999999999999999999.00'" in called.err


def test_amounts_that_add_up_to_more_than_can_be_kept_are_told(gosales, workspace) -> None:
    """Such as telephone numbers under the heading of an amount."""
    rows = [[*row[:7], "9800000000000"] for row in long_rows()]
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "'GP' adds up to 117,600,000,000,000, more than can be kept" in called.err
    assert "total_too_large" in {row["rule"] for row in violations(workspace)}


def test_customer_ids_that_a_spreadsheet_rounded_are_told(gosales, workspace) -> None:
    rows = [[row[0], "1.23457E+11", *row[2:]] for row in long_rows()]
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and "1 customer ids are numbers that a spreadsheet" in called.err


def test_lines_that_end_in_a_carriage_return_alone_are_lines(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()).replace("\r\n", "\r"))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert len(facts(workspace)) == 12


def test_a_product_list_that_is_no_utf_8_is_told(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    lookup = workspace.data / "lookup" / "sku_map_overrides.csv"
    lookup.parent.mkdir(parents=True)
    lookup.write_text("product_sku,qty_column,division\nBolt,,Zubehör\n", encoding="latin-1")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "sku_map_overrides.csv: this is no UTF-8 text" in called.err


def test_a_wide_row_with_too_many_cells(gosales, workspace) -> None:
    header = [*WIDE, *[f"note{n}" for n in range(40)]]
    rows = [[*WIDE_ROW, *["n"] * 40], [*WIDE_ROW, *["n"] * 43], [*WIDE_ROW, *["n"] * 40]]
    put(workspace, "log.csv", csv_text(rows, header))
    configure(workspace, "etl: {allow_unknown_columns: true}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "row_shape" in called.err and "log.csv, row 2: 54 cells" in called.err
    assert gosales("star", "--workspace", workspace.root, "--fail-soft").code == 0
    assert counts(workspace) == {"read": 3, "curated": 2, "row_shape": 1}
    assert [row["source_row"] for row in facts(workspace)] == [1, 3]
    assert quarantine(workspace)[0]["raw_line"].startswith("I1,100,Acme")


def test_a_folder_with_one_bad_file_among_twelve(gosales, workspace, good_star) -> None:
    rows = long_rows()
    (workspace.data / "raw" / "log.csv").unlink()
    for n, row in enumerate(rows):
        put(workspace, f"part{n:02d}.csv", csv_text([row]))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert checksums(workspace) == good_star
    put(workspace, "part07.csv", b"\x00\x01\x02\x03" * 50)
    refused(gosales, workspace, good_star, "part07.csv", "not a text file")
    called = gosales("star", "--workspace", workspace.root, "--fail-soft")
    assert called.code == 0
    assert "part07.csv" in called.err and "left out" in called.err
    assert len(facts(workspace)) == 11


def test_blank_rows_are_set_aside_and_counted(gosales, workspace, good_star) -> None:
    rows = [*long_rows(), [""] * 8, [" "] * 8]
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert counts(workspace) == {"read": 14, "curated": 12, "blank_row": 2}
    assert checksums(workspace) == good_star


def test_columns_with_the_same_name(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text([[*row, "1"] for row in long_rows()], [*LONG, "gp"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3 and "same name" in called.err


def test_no_log_at_all_names_the_command_that_makes_one(gosales, workspace) -> None:
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "gosales sample" in called.err


def test_divisions_that_would_share_a_file_name(gosales, workspace) -> None:
    rows = long_rows()
    rows[0][5] = "Learning!"
    rows[1][5] = "Learning?"
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3 and "Learning!" in called.err and "Learning?" in called.err
