"""Logs as other systems export them: their headers, titles, files of several makes."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest

from gosales.etl.build_star import build_star
from gosales.etl.star import StarFacts, open_star
from gosales.workspace import Workspace
from tests.conftest import OpenRun
from tests.etl.logs import (
    LONG,
    adds_up,
    configure,
    csv_text,
    facts,
    long_rows,
    put,
    quarantine,
    violations,
)

TITLES = [["Sales report"], [], ["Period", "2024"]]


@pytest.mark.parametrize(
    "header",
    [
        ["Cust. #", "Invoice Date", "Item No.", "Category", "Net Sales (USD)", "Order #"],
        ["Customer ID", "Order Date", "Product ID", "Category", "Sales", "Order ID"],
        ["CustomerID", "InvoiceDate", "StockCode", "Product Line", "Total Amount", "InvoiceNo"],
        ["Kunden-Nr.", "Bestelldatum", "Artikelnummer", "Warengruppe", "Umsatz €", "Beleg-Nr."],
        ["Sold-To", "Billing Date", "Material", "Material Group", "Net Value", "Document No."],
        ["N° client", "Date commande", "Article", "Catégorie", "Montant HT", "N° facture"],
        ["Account", "Close Date", "Product Name", "Product Family", "Amount", "Order"],
        ["CUSTACCOUNT", "INVOICEDATE", "ITEMID", "ITEMGROUPID", "LINEAMOUNT", "INVOICEID"],
        ["Kunde", "Fakturadatum", "Materialnummer", "Sparte", "Nettowert", "Rechnungs-Nr."],
        ["Código cliente", "Fecha factura", "Artículo", "Familia", "Importe", "Factura"],
        ["Codice cliente", "Data ordine", "Articolo", "Categoria", "Fatturato", "Numero ordine"],
        ["Klantnummer", "Factuurdatum", "Artikelcode", "Productgroep", "Omzet", "Ordernummer"],
        ["Cliente", "Data venda", "Produto", "Categoria", "Valor total", "Pedido"],
    ],
)
def test_headers_as_other_systems_write_them(gosales, workspace, header) -> None:
    row = ["C1", "2024-01-31", "S1", "Tools", "12.50", "I1"]
    put(workspace, "log.csv", csv_text([row], header))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    (line,) = facts(workspace)
    found = [line[name] for name in ("customer_id", "product_sku", "product_division")]
    assert found == ["C1", "S1", "Tools"] and line["gross_profit"] == Decimal("12.5")
    assert line["invoice_id"] == "I1" and "no known meaning" not in called.err


@pytest.mark.parametrize("pair", [("Customer", "Customer Name"), ("Kunde", "Kundenname")])
def test_a_bare_customer_beside_a_name_is_the_id(gosales, workspace, pair) -> None:
    rows = [
        ["007", "Acme", "2024-01-31", "S", "D", "1"],
        ["008", "Acme", "2024-01-31", "S", "D", "1"],
    ]
    put(workspace, "log.csv", csv_text(rows, [*pair, "date", "sku", "division", "gp"]))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert [line["customer_id"] for line in facts(workspace)] == ["007", "008"]


def test_a_required_column_of_no_known_name_is_guessed_at_not_taken(gosales, workspace) -> None:
    header = ["Name", "Dispatch day", "sku", "division", "gp"]
    put(workspace, "log.csv", csv_text([["Acme", "2024-01-31", "S", "D", "1"]], header))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "etl.source_columns: {customer_id: Name, order_date: Dispatch day}?" in called.err


def test_the_built_in_map_is_not_that_of_another_company(gosales, workspace) -> None:
    """Training is a product of the built-in map; Bolt, Nut and Course are not."""
    rows = [
        *long_rows(),
        ["I9", "100", "Company 0", "2024-02-01", "Training", "Learning", "1", "5"],
    ]
    put(workspace, "log.csv", csv_text(rows))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and "SKU map" not in called.err
    assert {line["product_division"] for line in facts(workspace)} == {"Learning", "Parts"}

    own = [row for row in rows if row[4] in ("Training", "Course")]
    put(workspace, "log.csv", csv_text(own))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and "1 lines say another division than the SKU map" in called.err
    assert {line["product_division"] for line in facts(workspace)} == {"Learning", "Training"}


def test_a_margin_in_per_cent_is_no_profit(gosales, workspace) -> None:
    header = ["customer_id", "date", "sku", "division", "GP %", "Revenue"]
    put(workspace, "log.csv", csv_text([["1", "2024-01-31", "S", "D", "40", "100"]], header))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and facts(workspace)[0]["gross_profit"] == 100
    assert "columns that have no known meaning are not used: 'GP %'" in called.err


def test_a_log_without_a_division_is_told_what_to_set(gosales, workspace) -> None:
    header = ["customer_id", "date", "sku", "Sparte der Ware", "gp"]
    put(workspace, "log.csv", csv_text([["1", "2024-01-31", "S", "D", "1"]], header))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "product_division: one of Sparte der Ware" in called.err


@pytest.mark.parametrize(("decimal", "amount"), [(".", "1.234,50"), (",", "1,234.50")])
def test_the_other_decimal_mark_is_told(gosales, workspace, decimal, amount) -> None:
    header = ["customer_id", "date", "sku", "division", "gp"]
    put(workspace, "log.csv", csv_text([["1", "2024-01-31", "S", "D", amount]], header))
    configure(workspace, f"etl: {{decimal: '{decimal}'}}\n")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3 and "set etl.decimal" in called.err


def test_titles_above_the_header_are_no_data(gosales, workspace) -> None:
    rows = long_rows(6)
    text = "Sales report\n\nPeriod;2024\n" + csv_text(rows, delimiter=";")
    text += "Total;;;;;;;999;and more\n"
    put(workspace, "log.csv", text)
    called = gosales("star", "--workspace", workspace.root, "--fail-soft")
    assert called.code == 0, called.err
    assert "2 lines above the header are no data" in called.err
    assert len(facts(workspace)) == 6 and adds_up(workspace)
    (row,) = quarantine(workspace)
    assert row["source_row"] == 7 and row["rule"] == "row_shape"


def test_titles_above_the_header_of_a_workbook(gosales, workspace) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("fastexcel")
    book = openpyxl.Workbook()
    for row in (*TITLES, LONG, *long_rows(6)):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    put(workspace, "log.xlsx", content.getvalue())
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    lines = facts(workspace)
    assert sorted(line["source_row"] for line in lines) == [1, 2, 3, 4, 5, 6]
    assert {line["customer_id"] for line in lines} == {row[1] for row in long_rows(6)}


def test_a_header_of_the_settings_is_found_below_titles(gosales, workspace) -> None:
    text = "Report\n" + csv_text(
        [["7", "2024-01-31", "S", "D", "1"]], ["wer", "wann", "was", "wo", "wieviel"]
    )
    put(workspace, "log.csv", text)
    configure(
        workspace,
        "etl: {source_columns: {customer_id: wer, order_date: wann, product_sku: was, "
        "product_division: wo, gross_profit: wieviel}}\n",
    )
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert facts(workspace)[0]["customer_id"] == "7"


def test_files_that_name_the_same_field_otherwise(gosales, workspace) -> None:
    rows = long_rows(8)
    other = [
        "Doc No",
        "Cust. #",
        "Account Name",
        "Date",
        "Item",
        "Business Unit",
        "Units",
        "Profit",
    ]
    put(workspace, "2023.csv", csv_text(rows[:4]))
    put(workspace, "2024.csv", csv_text(rows[4:], other))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    assert "gosales/data/raw/2024.csv: 'Cust. #' is taken for 'CustomerId'" in called.err
    apart = {tuple(sorted(line.items())) for line in map(_meaning, facts(workspace))}
    for name in ("2023.csv", "2024.csv"):
        (workspace.data / "raw" / name).unlink()
    put(workspace, "all.csv", csv_text(rows))
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert apart == {tuple(sorted(line.items())) for line in map(_meaning, facts(workspace))}


def _meaning(line: dict) -> dict:
    origin = ("source_file", "source_row")
    return {name: value for name, value in line.items() if name not in origin}


@pytest.mark.parametrize(
    ("first", "second", "lacking"),
    [
        (["gp"], ["revenue"], "gross_profit"),
        (["revenue", "cogs"], ["revenue"], "cogs"),
        (["revenue"], ["qty", "unit price"], "revenue"),
    ],
)
def test_a_file_without_what_profit_is_made_of_is_a_fault(
    gosales, workspace, first, second, lacking
) -> None:
    for name, money in (("a.csv", first), ("b.csv", second)):
        row = ["100", "2024-01-31", "S", "D", *["1"] * len(money)]
        put(workspace, name, csv_text([row], ["customer_id", "date", "sku", "division", *money]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert f"b.csv: required columns are missing: {lacking}." in called.err


def test_a_list_of_customers_among_the_logs_is_told_where_it_belongs(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    put(workspace, "who.csv", csv_text([["1", "Acme", "Metal"]], ["customer_id", "name", "trade"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "who.csv: required columns are missing" in called.err
    assert "etl.enrichment.sources" in called.err


def test_a_wide_log_of_products_that_nobody_mapped_is_told_how_to(gosales, workspace) -> None:
    header = ["Customer No", "Invoice Date", "Pumps", "Pumps_Qty", "Valves", "Valves_Qty"]
    put(workspace, "log.csv", csv_text([["1", "2024-01-31", "9.5", "1", "", ""]], header))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 3
    assert "Are Pumps, Valves products" in called.err and "sku_map_overrides_csv" in called.err
    lookup = workspace.data / "lookup" / "sku_map_overrides.csv"
    lookup.parent.mkdir(parents=True)
    lookup.write_text("product_sku,qty_column,division\nPumps,Pumps_Qty,Hydraulics\n"
                      "Valves,Valves_Qty,Hydraulics\n")  # fmt: skip
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert [line["product_division"] for line in facts(workspace)] == ["Hydraulics"]


def test_files_that_are_not_read_are_named(gosales, workspace) -> None:
    put(workspace, "log.zip", b"PK\x03\x04")
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 2 and "There is gosales/data/raw/log.zip" in called.err


def test_ids_that_differ_in_case_or_zeros_are_told_and_kept(gosales, workspace) -> None:
    rows = [[n, "2024-01-31", "S", "D", "1"] for n in ("c1", "C1", "007", "7", "8")]
    put(workspace, "log.csv", csv_text(rows, ["customer_id", "date", "sku", "division", "gp"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and "the 5 customer ids are 3 but for letter case" in called.err
    assert {line["customer_id"] for line in facts(workspace)} == {"c1", "C1", "007", "7", "8"}
    assert "customer_id_spelling" in {row["rule"] for row in violations(workspace)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("jerseys, vests & caps", ["Jerseys, Vests & Caps"]),
        ("Caps,Jerseys, Vests & Caps,vests", ["Caps", "Jerseys, Vests & Caps", "Vests"]),
        ("Vests,Caps", ["Vests", "Caps"]),
        ("Vests,Caps,Vests Caps", ["Vests", "Caps", "Vests Caps"]),
    ],
)
def test_a_division_may_have_commas_in_its_name(asked, found) -> None:
    names = ("Caps", "Jerseys, Vests & Caps", "Vests", "Vests Caps")
    about = StarFacts(1, "long", names, True, dt.date(2024, 1, 1), dt.date(2024, 2, 1), 1, 1)
    assert about.resolve_divisions(asked) == found


def test_divisions_in_another_script_have_files_of_their_own(gosales, workspace) -> None:
    names = ("Краски", "Инструменты", "日本", "Отдел 1", "Группа 1", "Zubehör")
    rows = [["1", "2024-01-31", name, name, "1"] for name in names]
    put(workspace, "log.csv", csv_text(rows, ["customer_id", "date", "sku", "division", "gp"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    files = {workspace.labels(name, dt.date(2024, 1, 31)).name for name in names}
    assert len(files) == len(names) and "labels_zubeh_r_2024-01-31.parquet" in files


def test_a_log_without_profit_is_told(gosales, workspace) -> None:
    rows = [["1", "2024-01-31", "S", "D", amount] for amount in ("0", "-5", "")]
    put(workspace, "log.csv", csv_text(rows, ["customer_id", "date", "sku", "division", "gp"]))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0 and "no line has a gross profit above zero" in called.err


def test_the_sheets_of_a_workbook_that_hold_the_log_are_read(gosales, workspace) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("fastexcel")
    rows = long_rows(9)
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    book.active.append(["Exported by", "Finance"])
    for year, part in (("2023", rows[:4]), ("2024", rows[4:])):
        sheet = book.create_sheet(year)
        for row in (LONG, *part):
            sheet.append(row)
    book.create_sheet("Notes").append(["nothing", "here"])
    people = book.create_sheet("Customers")
    for row in (["CustomerId", "Customer", "Region"], ["100", "Company 0", "North"]):
        people.append(row)
    content = io.BytesIO()
    book.save(content)
    put(workspace, "log.xlsx", content.getvalue())
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 0, called.err
    found = sorted((line["source_file"], line["source_row"]) for line in facts(workspace))
    file = "gosales/data/raw/log.xlsx"
    assert found == [(f"{file}#2023", n) for n in (1, 2, 3, 4)] + [
        (f"{file}#2024", n) for n in (1, 2, 3, 4, 5)
    ]
    assert "not read, are the sheets Customers" in called.err
    # The order of sheets and files is no matter of what was sold.
    put(workspace, "log.csv", csv_text(rows))
    (workspace.data / "raw" / "log.xlsx").unlink()
    before = {line["transaction_id"] for line in facts(workspace)}
    assert gosales("star", "--workspace", workspace.root).code == 0
    assert {line["transaction_id"] for line in facts(workspace)} == before


def test_price_times_units_is_the_same_on_each_engine(
    workspace: Workspace, run_in: OpenRun, engine_name: str
) -> None:
    header = ["Cust. #", "Date", "Item", "Category", "Qty", "Unit Price"]
    pairs = [("3", "2.50005"), ("-1", "1,000.1"), ("", "4"), ("0.3333", "0.0015"), ("2", "")]
    vast = ["C0", "2024-01-31", "S", "D", "99999999", "99,999,999"]
    rows = [[f"c{n}", "2024-01-31", "S", "D", *pair] for n, pair in enumerate(pairs)]
    last = ["C0", "2024-01-31", "S", "D", "1", "1"]
    put(workspace, "log.csv", csv_text([*rows, last, vast], header))
    with run_in(workspace, **{"database.engine": engine_name}) as run:
        build_star(run, fail_soft=True)
        too_large = [row["value"] for row in violations(workspace) if row["rule"] == "bad_amount"]
        assert too_large == ["9999999800000001.00000000"]
        star = run.engine.to_arrow(open_star(run).transactions.order_by("source_row")).to_pylist()
        assert any("letter case" in text for text in run.warnings)
    expected = ["7.5003", "-1000.1", "4", "0.0005", "0", "1"]
    assert [row["revenue"] for row in star] == [Decimal(text) for text in expected]
    assert [row["gross_profit"] for row in star] == [row["revenue"] for row in star]
