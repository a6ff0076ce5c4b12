"""The exported log is messy and yet says exactly what happened."""

import csv
import datetime as dt
import hashlib
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gosales.samples import SampleFiles, SimulationSpec, sales_log
from gosales.samples.catalog import PRODUCTS
from gosales.samples.export import HEADER
from gosales.samples.faults import FAULTS

Row = dict[str, str]
Fact = tuple[str, str, dt.date, str, int, Decimal]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return sales_log.write_workspace(SimulationSpec(customers=500), tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def rows(made: SampleFiles) -> list[Row]:
    return _rows(made.paths[0])


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _hashes(files: SampleFiles) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files.paths]


def _date(text: str) -> dt.date:
    formats = {"-": "%Y-%m-%d", "/": "%m/%d/%Y"}
    word = text.strip()
    form = "%d-%b-%Y" if re.search("[a-zA-Z]", word) else formats["/" if "/" in word else "-"]
    return dt.datetime.strptime(word, form).date()


def _number(text: str) -> Decimal:
    word = text.strip()
    below = word.startswith("(") and word.endswith(")")
    bare = re.sub(r"[$,()\s]", "", word)
    return (-1 if below else 1) * Decimal(bare or "0")


def _customer(text: str) -> str:
    return text.strip().removesuffix(".0")


def _facts(rows: list[Row]) -> Counter[Fact]:
    """The lines of a log: each product whose profit or quantity is not zero."""
    facts: Counter[Fact] = Counter()
    for row in rows:
        head = row["Invoice"], _customer(row["CustomerId"]), _date(row["Rec Date"])
        for product in PRODUCTS:
            profit, units = _number(row[product.sku]), _number(row[product.quantity])
            if profit or units:
                facts[(*head, product.sku, int(units), profit)] += 1
    return facts


def _true_facts(path: Path) -> Counter[Fact]:
    columns = ["invoice_id", "customer_id", "order_date", "product_sku", "quantity", "gross_profit"]
    table = pq.read_table(path)
    return Counter(zip(*(table[c].to_pylist() for c in columns), strict=True))


def _without_repetitions(rows: list[Row]) -> list[Row]:
    return [row for i, row in enumerate(rows) if not i or row != rows[i - 1]]


def test_workspace_files(made: SampleFiles, rows: list[Row]) -> None:
    names = [path.relative_to(made.paths[0].parents[3]).as_posix() for path in made.paths]
    assert names[:3] == [
        "gosales/data/raw/Sales_Log.csv",
        "gosales/data/lookup/enrichment.csv",
        "gosales/data/truth/truth.parquet",
    ]
    assert made.rows == len(rows)
    assert made.customers == 500
    assert tuple(rows[0]) == HEADER
    truth = {field.name: str(field.type) for field in pq.read_schema(made.paths[2])}
    assert truth == {
        "customer_id": "string",
        "division": "string",
        "cutoff": "date32[day]",
        "probability": "double",
        "owned_before": "bool",
        "bought": "bool",
    }


def test_every_cell_can_be_read_and_says_the_truth(made: SampleFiles, rows: list[Row]) -> None:
    sound = _without_repetitions(rows)
    assert 0 < len(rows) - len(sound) < 0.01 * len(rows)
    assert any("repetitions" in note for note in made.notes)
    assert _facts(sound) == _true_facts(made.paths[3])


def test_the_mess_is_there(rows: list[Row]) -> None:
    dates = [row["Rec Date"] for row in rows]
    for form in (r"\d{4}-\d\d-\d\d", r"\d\d/\d\d/\d{4}", r"\d\d-[A-Z][a-z]{2}-\d{4}"):
        assert sum(bool(re.fullmatch(form, date)) for date in dates) > 0.05 * len(rows)
    money = [row[p.sku] for row in rows for p in PRODUCTS]
    for form in (r"\$\d{1,3},\d{3}\.\d\d", r"\(\d+\.\d\d\)", r"-\d+\.\d\d", r" [\d,]+\.\d\d"):
        assert any(re.fullmatch(form, cell) for cell in money), form
    assert {"", "0", "0.00"} <= set(money)
    ids = [row["CustomerId"] for row in rows]
    for form in (r"\d+\.0", r" \d+ ", r"0\d+", r"[1-9]\d+"):
        assert any(re.fullmatch(form, cell) for cell in ids), form
    names = [row["Customer"] for row in rows]
    assert sum(bool(re.match(r"\s?\d{6,} \D", name)) for name in names) > 0.2 * len(rows)
    assert any(name != name.strip() for name in names)


def test_no_mess_is_clean(tmp_path: Path) -> None:
    made = sales_log.write_workspace(SimulationSpec(customers=200, mess=0), tmp_path)
    rows = _rows(made.paths[0])
    assert not any("$" in cell or cell != cell.strip() for row in rows for cell in row.values())
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["Rec Date"]) for row in rows)
    assert _facts(rows) == _true_facts(made.paths[3])


def test_same_spec_same_bytes(made: SampleFiles, tmp_path: Path) -> None:
    again = sales_log.write_workspace(SimulationSpec(customers=500), tmp_path / "again")
    other = sales_log.write_workspace(SimulationSpec(customers=500, seed=8), tmp_path / "other")
    assert _hashes(again) == _hashes(made)
    assert _hashes(other)[:3] != _hashes(made)[:3]


def test_faults_are_exact_and_apart(
    made: SampleFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share of the documents, each kind as often; the rest is the log without faults."""
    monkeypatch.setattr("gosales.samples.export._CHUNK", 700)
    spec = SimulationSpec(customers=500, faults=0.01)
    bad = sales_log.write_workspace(spec, tmp_path)
    rows = _rows(bad.paths[0])
    planted = pq.read_table(bad.paths[-1])
    documents = len({row["Invoice"] for row in rows if not row["Invoice"].startswith("FX")})
    assert planted.num_rows == round(0.01 * documents)
    counts = {c["values"]: c["counts"] for c in pc.value_counts(planted["fault"]).to_pylist()}
    assert set(counts) == set(FAULTS)
    assert max(counts.values()) - min(counts.values()) <= 1
    for number, fault in zip(*(planted[c].to_pylist() for c in planted.column_names), strict=True):
        row = rows[number - 1]
        assert row["Invoice"].startswith("FX-")
        assert _is(fault, row)
    sound = [row for row in rows if not row["Invoice"].startswith("FX-")]
    assert _facts(_without_repetitions(sound)) == _true_facts(made.paths[3])


def _is(fault: str, row: Row) -> bool:
    return {
        "unparseable_date": row["Rec Date"] == "31/31/2024",
        "unparseable_money": "abc" in row.values(),
        "missing_customer": row["CustomerId"] == row["Customer"] == "",
        "future_date": row["Rec Date"] == "2099-01-01",
        "early_date": row["Rec Date"] == "1900-01-01",
    }[fault]


def test_notes_tell_what_was_asked_for(tmp_path: Path) -> None:
    spec = SimulationSpec(customers=50, signal=0, shift=dt.date(2024, 1, 1), faults=0.1)
    notes = " ".join(sales_log.write_workspace(spec, tmp_path).notes)
    for word in ("simulated", "Nothing predicts", "2024-01-01", "planted"):
        assert word in notes
