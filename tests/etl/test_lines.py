"""Cells to typed values: every form of money, id and date, on each engine."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from gosales.etl.dates import parse_dates, resolve_order
from gosales.etl.normalize import clean_id, clean_text, filled, parse_money, plain_money
from tests.conftest import OpenRun

MONEY = {
    "1,234.50": "1234.5",
    "$1,234.50": "1234.5",
    "(250.00)": "-250",
    "($1,250.00)": "-1250",
    "250-": "-250",
    "- 250": "-250",
    "−5": "-5",
    "USD 12": "12",
    "12 EUR": "12",
    "1.2E+03": "1200",
    "1e3": "1000",
    "12.": "12",
    ".5": "0.5",
    "-": "0",
    "1 234.5": "1234.5",
    "1.00005": "1.0001",
    "-1.00005": "-1.0001",
    "abc": None,
    "12%": None,
    "1,23.4": None,
    "1.234,50 €": None,
    "1_000": None,
    "99999999999999999": None,
    "": None,
    "NaN": None,
}
IDS = {" 0123 ": "0123", "123.0": "123", "V1.0": "V1.0", "00.0": "00", "": None, "null": None}
TEXTS = {
    "a b": "a b",
    " a\u00a0b\u202f": "a b",
    "\x0ba\n": "a",
    "": None,
    " \u2007": None,
    "nan": "nan",
    "Ünal": "Ünal",
}
PLAIN = ("1234.5", "-7", "$1,234.50", "-$12", "1,234", "0.00", "007")
DAYS = {
    "2024-03-05": dt.date(2024, 3, 5),
    "2024/3/5": dt.date(2024, 3, 5),
    "20240305": dt.date(2024, 3, 5),
    "03/05/2024": dt.date(2024, 3, 5),
    "12/31/24": dt.date(2024, 12, 31),
    "31.12.2024": dt.date(2024, 12, 31),
    "05-Mar-2024": dt.date(2024, 3, 5),
    "5 March 24": dt.date(2024, 3, 5),
    "Mar 5, 2024": dt.date(2024, 3, 5),
    "2024-03-05 10:11:12.123": dt.date(2024, 3, 5),
    "03/05/2024 10:30 PM": dt.date(2024, 3, 5),
    "2024-03-05T23:30:00-05:00": dt.date(2024, 3, 6),
    "2024-03-05T00:30:00+02:00": dt.date(2024, 3, 4),
    "45356": dt.date(2024, 3, 5),
    "2024-02-29": dt.date(2024, 2, 29),
    "2023-02-29": None,
    "31/31/2024": None,
    "2024-03-05 rubbish": None,
    "Foo 5, 2024": None,
    "": None,
}


def test_cells_read_the_same_on_each_engine(run_in: OpenRun, engine_name: str) -> None:
    with run_in(**{"database.engine": engine_name}) as run:
        engine, settings = run.engine, run.settings.etl

        def texts(values: dict[str, object]) -> pa.Table:
            return pa.table({"text": list(values)})

        parsed = parse_money(engine, engine.from_arrow(texts(MONEY)), ".")
        rows = engine.to_arrow(parsed).to_pylist()
        amounts = {row["text"]: row["amount"] for row in rows}
        assert amounts == {t: None if v is None else Decimal(v) for t, v in MONEY.items()}
        unreadable = {row["text"] for row in rows if row["unreadable"]}
        assert unreadable == {t for t, v in MONEY.items() if v is None} - {"", "NaN"}

        ids = engine.from_arrow(texts(IDS))
        keyed = engine.to_arrow(ids.select("text", key=clean_id(ids.text))).to_pylist()
        assert {row["text"]: row["key"] for row in keyed} == IDS

        cells = engine.from_arrow(texts(TEXTS))
        kept = engine.to_arrow(
            cells.select("text", kept=clean_text(cells.text), filled=filled(cells.text))
        ).to_pylist()
        assert {row["text"]: row["kept"] for row in kept} == TEXTS
        assert {row["text"] for row in kept if not row["filled"]} == {"", " \u2007", "nan"}

        days = engine.from_arrow(texts(DAYS))
        order = resolve_order(engine, days, settings)
        assert order.order == "mdy"
        found = engine.to_arrow(parse_dates(engine, days, order, settings)).to_pylist()
        assert {row["text"]: row["day"] for row in found} == DAYS


@pytest.mark.parametrize(
    ("text", "amount"), [("1.234,50 €", "1234.5"), ("12", "12"), ("1,5", "1.5")]
)
def test_a_comma_as_decimal_mark(run_in: OpenRun, text: str, amount: str) -> None:
    with run_in() as run:
        table = run.engine.from_arrow(pa.table({"text": [text]}))
        row = run.engine.to_arrow(parse_money(run.engine, table, ",")).to_pylist()[0]
        assert row["amount"] == Decimal(amount)


@pytest.mark.parametrize("decimal", [".", ","])
def test_the_short_way_to_an_amount_reads_what_the_long_way_reads(
    run_in: OpenRun, engine_name: str, decimal: str
) -> None:
    texts = [*MONEY, *PLAIN, *(text.translate(str.maketrans(".,", ",.")) for text in PLAIN)]
    with run_in(**{"database.engine": engine_name}) as run:
        table = run.engine.from_arrow(pa.table({"text": sorted(set(texts))}))
        long_way = run.engine.to_arrow(parse_money(run.engine, table, decimal)).to_pylist()
        amounts = {row["text"]: row["amount"] for row in long_way}
        short = table.select("text", amount=plain_money(table.text, decimal))
        read = {
            row["text"]: row["amount"]
            for row in run.engine.to_arrow(short).to_pylist()
            if row["amount"] is not None
        }
    assert read == {text: amounts[text] for text in read}
    expected = set(PLAIN) if decimal == "." else {"-7", "1.234,50", "-1234,5", "1.234"}
    assert expected & set(texts) <= set(read)
