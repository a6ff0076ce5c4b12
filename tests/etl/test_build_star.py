"""The star as a whole: what goes in comes out, the same whatever the order, files and engine."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gosales.etl.build_star import build_star
from gosales.etl.sku_map import division_set
from gosales.etl.star import open_star
from gosales.samples.sales_log import SimulationSpec, write_workspace
from gosales.workspace import Workspace
from tests.conftest import Gosales, OpenRun
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
    total,
)

MESSY = [
    ["I1", " 0123 ", "0123 Acme", "2024-03-05T23:30:00-05:00", "PDM-1", "pdm", "1", "$1,234.50"],
    ["I1", "0123", "0123 Acme", "03/05/2024", "PDM-1", "PDM ", "2.0", "(250.00)"],
    ["I2", "123.0", "  Beta  ", "05-Mar-2024", "T-1", "Training", "", "1e3"],
    ["I3", "123", "Beta", "2024-02-29", "T-1", "training", "-1", "-"],
    ["", "V1.0", "", "20240301", "T-2", "Training", "1", ""],
]


def test_messy_cells_are_read(gosales: Gosales, workspace: Workspace) -> None:
    put(workspace, "log.csv", csv_text(MESSY))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    rows = sorted(facts(workspace), key=lambda row: row["source_row"])
    assert [row["customer_id"] for row in rows] == ["0123", "0123", "123", "123", "V1.0"]
    assert [row["order_date"] for row in rows] == [
        dt.date(2024, 3, 6),
        dt.date(2024, 3, 5),
        dt.date(2024, 3, 5),
        dt.date(2024, 2, 29),
        dt.date(2024, 3, 1),
    ]
    money = [Decimal(text) for text in ("1234.5", "-250", "1000", "0", "0")]
    assert [row["gross_profit"] for row in rows] == money
    assert [row["quantity"] for row in rows] == [1, 2, 1, -1, 1]
    assert [row["is_return"] for row in rows] == [False, True, False, True, False]
    assert rows[4]["invoice_id"] is None
    assert "1 lines have no amount" in called.err


def test_lesson_division_names_in_two_letter_cases_are_one(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(MESSY))
    called = gosales("star", "--workspace", workspace.root)
    assert {row["product_division"] for row in facts(workspace)} == {"PDM", "Training"}
    assert "division 'Training' is written in 2 ways" in called.err
    assert {"PDM", "Training", "Solidworks"} <= division_set(workspace.root)


def test_european_numbers_and_dates(gosales, workspace) -> None:
    rows = [["I1", "1", "A", "31/12/2023", "S", "D", "1", "1.234,50 €"],
            ["I2", "1", "A", "01/02/2024", "S", "D", "1", "1234,5"]]  # fmt: skip
    put(workspace, "log.csv", csv_text(rows, delimiter=";"))
    configure(workspace, 'etl: {decimal: ","}\n')
    assert gosales("star", "--workspace", workspace.root).code == 0
    found = sorted(facts(workspace), key=lambda row: row["source_row"])
    assert [row["gross_profit"] for row in found] == [Decimal("1234.5"), Decimal("1234.5")]
    # 31/12 can only be day first, so 01/02 is the first of February.
    assert found[1]["order_date"] == dt.date(2024, 2, 1)


def test_dates_that_could_be_read_two_ways_are_told(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text([["I1", "1", "A", "03/05/2024", "S", "D", "1", "1"]]))
    called = gosales("star", "--workspace", workspace.root)
    assert "could be read two ways; read month first" in called.err
    assert facts(workspace)[0]["order_date"] == dt.date(2024, 3, 5)
    configure(workspace, "etl: {date_order: dmy}\n")
    assert "two ways" not in gosales("star", "--workspace", workspace.root).err
    assert facts(workspace)[0]["order_date"] == dt.date(2024, 5, 3)


def test_timestamps_are_cut_in_the_configured_zone(gosales, workspace) -> None:
    put(
        workspace,
        "log.csv",
        csv_text([["I", "1", "A", "2024-07-05T22:30:00Z", "S", "D", "1", "1"]]),
    )
    gosales("star", "--workspace", workspace.root)
    assert facts(workspace)[0]["order_date"] == dt.date(2024, 7, 5)
    configure(workspace, "etl: {coerce_dates_tz: Europe/Berlin}\n")
    gosales("star", "--workspace", workspace.root)
    assert facts(workspace)[0]["order_date"] == dt.date(2024, 7, 6)


@pytest.mark.parametrize(
    ("header", "cells", "profit"),
    [
        (["revenue", "cogs"], ["100", "60"], "40"),
        (["revenue", "Cost"], ["100", ""], "100"),
        (["Net Sales"], ["100"], "100"),
        (["gp", "revenue", "cost"], ["7", "100", "60"], "7"),
        (["gp", "Unit Price"], ["7", "no price"], "7"),
        (["Qty.", "Price (USD)"], ["3", "2.50"], "7.50"),
        (["Unit Price"], ["2.5"], "2.5"),
        (["Qty Ordered", "UnitPrice", "Cost"], ["-2", "10", "-6"], "-14"),
    ],
)
def test_gross_profit_comes_from_what_the_log_has(
    gosales, workspace, header, cells, profit
) -> None:
    row = ["100", "2024-01-31", "S", "D", *cells]
    put(workspace, "log.csv", csv_text([row], ["customer_id", "date", "sku", "division", *header]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0
    assert facts(workspace)[0]["gross_profit"] == Decimal(profit)
    assert ("is taken as profit" in called.err) == ({"gp", "cogs", "Cost"}.isdisjoint(header))
    assert ("is taken as revenue" in called.err) == ("gp" not in header and "rice" in str(header))


def test_id_and_name_in_one_column(gosales, workspace) -> None:
    header = ["Customer", "date", "sku", "division", "gp"]
    rows = [
        ["497588 Acme Corp", "2024-01-31", "S", "D", "1"],
        ["Lone Ltd", "2024-01-31", "S", "D", "1"],
    ]
    put(workspace, "log.csv", csv_text(rows, header))
    assert gosales("star", "--workspace", workspace.root).code == 0
    customers = pq.read_table(workspace.dim("customer")).to_pylist()
    assert [(c["customer_id"], c["customer_name"]) for c in customers] == [
        ("497588", "Acme Corp"),
        ("Lone Ltd", "Lone Ltd"),
    ]


def test_a_number_before_a_name_goes_where_it_is_the_customers_id(gosales, workspace) -> None:
    header = ["CustomerId", "Customer", "date", "sku", "division", "gp"]
    rows = [
        ["497588", "497588 Acme Corp", "2024-01-31", "S", "D", "1"],
        ["77", "1800 Flowers", "2024-01-31", "S", "D", "1"],
    ]
    put(workspace, "log.csv", csv_text(rows, header))
    assert gosales("star", "--workspace", workspace.root).code == 0
    customers = pq.read_table(workspace.dim("customer")).to_pylist()
    assert {c["customer_id"]: c["customer_name"] for c in customers} == {
        "497588": "Acme Corp",
        "77": "1800 Flowers",
    }


def test_configured_columns_and_a_near_miss(gosales, workspace) -> None:
    header = ["who", "date", "sku", "division", "gp"]
    put(workspace, "log.csv", csv_text([["1", "2024-01-31", "S", "D", "1"]], header))
    configure(workspace, "etl: {source_columns: {customer_id: WHO}}\n")
    assert gosales("star", "--workspace", workspace.root).code == 0
    configure(workspace, "etl: {source_columns: {customer_id: whom}}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3 and "Did you mean 'who'?" in called.err
    configure(workspace, "etl: {source_columns: {custommer_id: who}}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "Did you mean 'customer_id'?" in called.err


WIDE = [
    *("Invoice", "CustomerId", "Rec Date", "Division", "Supplies", "Consumables_Qty"),
    *("Success_Plan", "Success_Plan_Qty", "Success Plan GP", "Widgets", "Widgets_Qty"),
]


def test_wide_log_two_names_of_one_product_and_unmapped_pairs(gosales, workspace) -> None:
    rows = [
        ["I1", "1", "2024-01-01", "Hardware", "10", "2", "", "", "", "5.50", "1"],
        ["I2", "1", "2024-01-02", "Training", "0", "0.00", "7", "3", "", "", ""],
        ["I3", "2", "2024-01-03", "", "", "", "", "4", "9", "(1.00)", ""],
        ["I4", "2", "2024-01-04", "", "", "", "", "", "", "", ""],
        ["I5", "2", "2024-01-05", "", "-", "", "$0.00", "", "", "", ""],
    ]
    put(workspace, "log.csv", csv_text(rows, WIDE))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    assert "'Widgets'" in called.err and "4.50 is left out" in called.err
    found = [
        (row["invoice_id"], row["product_sku"], row["product_division"], row["quantity"])
        for row in sorted(facts(workspace), key=lambda row: row["source_row"])
    ]
    assert found == [
        ("I1", "Consumables", "Hardware", 2),
        ("I2", "Success Plan GP", "Success Plan", 3),
        ("I3", "Success Plan GP", "Success Plan", 4),
    ]
    assert "1 lines say another division than the SKU map" in called.err
    assert counts(workspace) == {"read": 5, "curated": 3, "empty_document": 2}


def test_unchanged_input_is_not_built_again(gosales, workspace) -> None:
    log = put(workspace, "log.csv", csv_text(long_rows()))
    first = gosales("star", "--workspace", workspace.root)
    stamp = workspace.fact.stat().st_mtime_ns
    again = gosales("star", "--workspace", workspace.root)
    assert "unchanged" in again.err
    assert workspace.fact.stat().st_mtime_ns == stamp
    assert first.out == again.out
    gosales("star", "--workspace", workspace.root, "--rebuild")
    assert workspace.fact.stat().st_mtime_ns != stamp
    log.write_text(csv_text(long_rows(13)))
    gosales("star", "--workspace", workspace.root)
    assert len(facts(workspace)) == 13


def test_staging_only(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(MESSY))
    assert gosales("star", "--workspace", workspace.root, "--staging-only").code == 0
    staged = pq.read_table(workspace.staging).to_pylist()
    assert [row["GP"] for row in staged] == ["$1,234.50", "(250.00)", "1e3", "-", None]
    assert [(row["source_file"], row["source_row"]) for row in staged][4] == (
        "gosales/data/raw/log.csv",
        5,
    )
    assert workspace.qa("column_profile.csv").is_file()
    assert not workspace.fact.exists()


def test_a_changed_schema_is_named(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    gosales("star", "--workspace", workspace.root)
    put(workspace, "log.csv", csv_text([[*row, "East"] for row in long_rows()], [*LONG, "Region"]))
    called = gosales("star", "--workspace", workspace.root)
    assert "schema of sales_log changed: new columns: Region" in called.err


def test_excel_and_parquet_give_the_same_star_as_csv(gosales, workspace, tmp_path) -> None:
    import openpyxl

    put(workspace, "log.csv", csv_text(long_rows()))
    gosales("star", "--workspace", workspace.root)
    from_csv = checksums(workspace)
    typed = [
        [*row[:3], dt.date.fromisoformat(row[3]), *row[4:6], int(row[6]), float(row[7])]
        for row in long_rows()
    ]
    book = openpyxl.Workbook()
    for row in [LONG, *typed]:
        book.active.append(row)
    for kind in ("xlsx", "parquet"):
        other = Workspace(tmp_path / kind)
        path = put(other, f"log.{kind}", b"")
        if kind == "xlsx":
            book.save(path)
        else:
            pq.write_table(
                pa.Table.from_pylist([dict(zip(LONG, r, strict=True)) for r in typed]), path
            )
        called = gosales("star", "--workspace", other.root)
        assert called.code == 0, called.err
        assert checksums(other) == from_csv


def test_database_tables_and_queries(gosales, workspace) -> None:
    import duckdb

    put(workspace, "log.csv", csv_text(long_rows()))
    gosales("star", "--workspace", workspace.root)
    from_csv = checksums(workspace)
    base = workspace.root / "sales.duckdb"
    with duckdb.connect(str(base)) as connection:
        log = workspace.data / "raw" / "log.csv"
        connection.execute(f"create table log as select * from read_csv('{log}', all_varchar=true)")
    for source in (
        f"'duckdb://{base}#log'",
        f"{{url: 'duckdb://{base}', query: 'select * from log'}}",
    ):
        configure(workspace, f"etl: {{sources: [{source}]}}\n")
        called = gosales("star", "--workspace", workspace.root)
        assert called.code == 0, called.err
        assert checksums(workspace) == from_csv
    configure(workspace, f"etl: {{sources: ['duckdb://{base}#nothing']}}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "nothing" in called.err
    configure(workspace, "etl: {sources: ['postgres://me:secret@host/db#log']}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "password" in called.err and "secret" not in called.err


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), files=st.integers(1, 5))
def test_order_of_rows_and_split_over_files_do_not_matter(tmp_path_factory, seed, files) -> None:
    from gosales.config import load_settings
    from gosales.run import open_run

    chance = random.Random(seed)
    rows = [*long_rows(20), *MESSY, *long_rows(5)]
    results = []
    for parts in (1, files):
        place = Workspace(tmp_path_factory.mktemp("order"))
        for part in range(parts):
            put(place, f"f{part}.csv", csv_text(rows[part::parts]))
        with open_run(place, load_settings(place.root), "test") as run:
            report = build_star(run)
        results.append((checksums(place), report.money_curated))
        assert adds_up(place)
        assert report.rows_read == len(rows)
        chance.shuffle(rows)
    assert results[0] == results[1]


def test_lesson_money_in_is_money_curated_and_quarantined(tmp_path: Path, run_in: OpenRun) -> None:
    spec = SimulationSpec(customers=150, seed=3, faults=0.02)
    write_workspace(spec, tmp_path)
    place = Workspace(tmp_path)
    configure(place, "etl: {fail_on_contract_breach: false}\n")
    with run_in(place) as run:
        report = build_star(run)
    truth = pq.read_table(tmp_path / "gosales/data/truth/faults.parquet")
    assert report.rows_quarantined == truth.num_rows > 0
    assert report.rows_read == report.rows_curated + report.rows_quarantined
    assert report.money_read == report.money_curated + report.money_quarantined
    assert report.money_curated == total(facts(place))
    assert adds_up(place)


def test_both_engines_give_the_same_star(tmp_path: Path, run_in: OpenRun, engine_name: str) -> None:
    """Wide and messy: the checksums of each engine are held against DuckDB's."""
    spec = SimulationSpec(customers=60, seed=5)
    found = {}
    for engine in dict.fromkeys(["duckdb", engine_name]):
        write_workspace(spec, tmp_path / engine)
        place = Workspace(tmp_path / engine)
        with run_in(place, **{"database.engine": engine}) as run:
            report = build_star(run)
            star = open_star(run)
            assert run.engine.scalar(star.transactions.count()) == report.transactions
        found[engine] = checksums(place)
    assert found[engine_name] == found["duckdb"]


def test_two_runs_give_the_same_bytes(gosales, workspace, tmp_path) -> None:
    other = Workspace(tmp_path / "other")
    for place in (workspace, other):
        put(place, "log.csv", csv_text([*MESSY, *long_rows()]))
        gosales("star", "--workspace", place.root)
    for path in (workspace.fact, workspace.dim("customer"), workspace.violations,
                 workspace.qa("row_counts.csv"), workspace.qa("column_profile.csv"),
                 workspace.qa("checksums.json")):  # fmt: skip
        twin = other.root / path.relative_to(workspace.root)
        assert path.read_bytes() == twin.read_bytes(), path.name


def test_the_json_summary_is_one_object(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    called = gosales("star", "--workspace", workspace.root, "--json")
    assert json.loads(called.out)["rows_curated"] == 12
    assert called.err == ""


def test_star_starts_without_the_libraries_of_the_models(workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    code = (
        "import sys\n"
        "from gosales.cli import main\n"
        "try:\n"
        f"    main(['star', '--quiet', '--workspace', {str(workspace.root)!r}])\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'pandas', 'scipy', 'sklearn', 'lightgbm'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert workspace.fact.is_file()
