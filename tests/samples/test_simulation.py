"""Documents and lines hold what was bought, in the size asked for, and the truth fits them."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gosales.errors import UsageError
from gosales.months import add_months
from gosales.samples import Simulation, SimulationSpec, simulate


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(SimulationSpec(customers=1500))


def test_bought_and_owned_are_what_the_lines_say(simulation: Simulation) -> None:
    """Net gross profit above zero in the window; any line at or before the cutoff."""
    lines, truth = simulation.lines, simulation.truth
    keys = ["customer_id", "product_division"]
    for cutoff in pc.unique(truth["cutoff"]).to_pylist():
        told = truth.filter(pc.equal(truth["cutoff"], cutoff))
        end = add_months(cutoff, 6)
        past = lines.filter(pc.less_equal(lines["order_date"], cutoff))
        inside = pc.and_(
            pc.greater(lines["order_date"], cutoff), pc.less_equal(lines["order_date"], end)
        )
        sums = lines.filter(inside).group_by(keys).aggregate([("gross_profit", "sum")])
        net = sums.filter(pc.greater(sums["gross_profit_sum"], 0)).select(keys)
        assert sums.num_rows == net.num_rows  # refunds never undo a window
        bought = told.filter(told["bought"])
        known = pc.unique(past["customer_id"])
        buyers = net.filter(pc.is_in(net["customer_id"], known))
        assert _pairs(bought, "division") == _pairs(buyers, "product_division")
        owned = told.filter(told["owned_before"])
        assert _pairs(owned, "division") == _pairs(past, "product_division")
        assert set(told["customer_id"].to_pylist()) == set(known.to_pylist())
        assert told.num_rows == 12 * len(known)


def _pairs(table: pa.Table, division: str) -> set[tuple[str, str]]:
    return set(zip(table["customer_id"].to_pylist(), table[division].to_pylist(), strict=True))


def test_tables_agree(simulation: Simulation) -> None:
    documents, lines = simulation.documents, simulation.lines
    assert pc.count_distinct(documents["invoice_id"]).as_py() == documents.num_rows
    assert set(documents["invoice_id"].to_pylist()) == set(lines["invoice_id"].to_pylist())
    assert documents["order_date"].to_pylist() == sorted(documents["order_date"].to_pylist())
    customers = simulation.spec.customers
    assert pc.count_distinct(documents["customer_id"]).as_py() == customers
    assert simulation.customers.num_rows == customers
    cells = lines.select(["invoice_id", "product_sku"])
    assert cells.group_by(["invoice_id", "product_sku"]).aggregate([]).num_rows == lines.num_rows
    assert pc.min(lines["order_date"]).as_py() >= dt.date(2021, 1, 1)
    assert pc.max(lines["order_date"]).as_py() <= dt.date(2024, 12, 31)


def test_refunds_are_negative_documents(simulation: Simulation) -> None:
    refunds = simulation.documents.filter(simulation.documents["is_refund"])
    assert 0.02 < refunds.num_rows / simulation.documents.num_rows < 0.04
    lines = simulation.lines
    negative = lines.filter(pc.less(lines["gross_profit"], 0))
    assert set(negative["invoice_id"].to_pylist()) == set(refunds["invoice_id"].to_pylist())


def test_documents_have_several_divisions(simulation: Simulation) -> None:
    """And the document's division is the one with the most profit."""
    lines = simulation.lines
    count = lines.group_by("invoice_id").aggregate([("product_division", "count_distinct")])
    mixed = pc.greater(count["product_division_count_distinct"], 1)
    assert 0.05 < pc.sum(mixed).as_py() / count.num_rows < 0.4
    best: dict[str, tuple[float, str]] = {}
    for invoice, profit, division in zip(
        *(lines[c].to_pylist() for c in ("invoice_id", "gross_profit", "product_division")),
        strict=True,
    ):
        best[invoice] = max(best.get(invoice, (-1e9, "")), (profit, division))
    documents = simulation.documents
    for invoice, division in zip(
        documents["invoice_id"].to_pylist(), documents["division"].to_pylist(), strict=True
    ):
        assert best[invoice][1] == division


def test_natural_size(simulation: Simulation) -> None:
    assert 17 < simulation.documents.num_rows / 1500 < 24


@pytest.mark.parametrize(
    ("customers", "rows"), [(1000, 4000), (1000, 10_000), (500, 40_000), (40, 2000)]
)
def test_rows_come_close_to_their_target(customers: int, rows: int) -> None:
    made = simulate(SimulationSpec(customers=customers, rows=rows, seed=3))
    assert len(made.invoices.day) == pytest.approx(rows, rel=0.15)


def test_blocks_of_customers_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers of later blocks have their own documents, and the truth counts on."""
    monkeypatch.setattr("gosales.samples.simulation._BLOCK_CUSTOMERS", 150)
    made = simulate(SimulationSpec(customers=400))
    assert np.bincount(made.invoices.customer, minlength=400).min() >= 1
    test_bought_and_owned_are_what_the_lines_say(made)
    test_tables_agree(made)


def test_shift_changes_prices() -> None:
    day = dt.date(2023, 7, 1)
    plain, shifted = (simulate(SimulationSpec(customers=1500, shift=s)).lines for s in (None, day))

    def mean_unit(lines: pa.Table, division: str, late: bool) -> float:
        chosen = pc.and_(
            pc.equal(lines["product_division"], division),
            pc.equal(pc.greater_equal(lines["order_date"], day), late),
        )
        part = lines.filter(pc.and_(chosen, pc.greater(lines["gross_profit"], 0)))
        unit = pc.divide(part["gross_profit"].cast(pa.float64()), part["quantity"])
        return float(pc.mean(unit).as_py())

    ratio = mean_unit(shifted, "Services", True) / mean_unit(plain, "Services", True)
    assert 1.1 < ratio < 1.3
    early = mean_unit(shifted, "Services", False) / mean_unit(plain, "Services", False)
    assert early == pytest.approx(1, abs=0.05)


def test_all_problems_of_a_spec_are_named_at_once() -> None:
    with pytest.raises(UsageError, match=r"customers.*signal.*faults"):
        SimulationSpec(customers=0, signal=2, faults=-1)
    with pytest.raises(UsageError, match="at least 3 a customer"):
        SimulationSpec(customers=100, rows=200)
