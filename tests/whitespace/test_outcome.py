from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from gosales.errors import NothingToDo
from gosales.run import Run
from gosales.whitespace import rank_whitespace
from gosales.whitespace.ledger import LEDGER, read_ledger, with_list
from gosales.whitespace.outcome import measure_outcome
from tests.conftest import Gosales, OpenRun, fact, write_star
from tests.models.worlds import read_json
from tests.whitespace.lists import LAST, rows_of, write_scores

LATER = dt.date(2024, 2, 29)


def listed(rows: list[tuple[str, str, int]]) -> pa.Table:
    """A list as the ledger takes it: (customer, division, control)."""
    customers, divisions, control = zip(*rows, strict=True)
    n = len(rows)
    return pa.table(
        {
            "rank": list(range(1, n + 1)),
            "customer_id": customers,
            "whitespace_division": divisions,
            "icp_score": [0.5] * n,
            "expected_gp": [1.0] * n,
            "control": pa.array(control, pa.int8()),
        }
    )


def write_ledger(run: Run, lists: dict[dt.date, list[tuple[str, str, int]]]) -> None:
    ledger = LEDGER.empty_table()
    for cutoff, rows in lists.items():
        ledger = with_list(ledger, cutoff, listed(rows))
    with run.commit("whitespace") as change:
        change.arrow(ledger, run.workspace.output("whitespace_ledger.parquet"))


LISTS = {
    LAST: [("a", "Beta", 0), ("a", "Gamma", 0), ("b", "Beta", 0), ("c", "Beta", 1),
           ("d", "Beta", 1), ("e", "Beta", 0)],
    LATER: [("c", "Beta", 0), ("f", "Beta", 1)],
}  # fmt: skip
STAR = [
    fact("a", "2023-12-31", "Beta", 999),  # on the cutoff: known before
    fact("a", "2024-01-01", "Gamma", 40),
    fact("a", "2024-01-02", "Alpha", 999),  # not what it was listed for
    fact("b", "2024-01-05", "Beta", 30),
    fact("b", "2024-01-06", "Beta", -30),
    fact("c", "2024-02-29", "Beta", 10),
    fact("d", "2024-03-01", "Beta", 999),  # after the window
    fact("e", "2023-01-01", "Alpha", 1),
    fact("f", "2024-06-30", "Alpha", 1),
]


def test_groups_are_of_the_first_list_and_the_window_after_it(run_in: OpenRun) -> None:
    with run_in(**{"labels.window_months": 2}) as run:
        write_star(run, STAR)
        write_ledger(run, LISTS)
        report = measure_outcome(run, LAST)
        told = read_json(run.workspace.output(f"outcome_{LAST}.json"))
    # a bought, b sent it back, e nothing; c bought on the last day, d too late, f nothing.
    assert (report.handed.customers, report.handed.buyers) == (3, 1)
    assert report.handed.gross_profit == 40
    assert (report.control.customers, report.control.buyers) == (3, 1)
    assert report.control.gross_profit == 10
    assert report.crossed == 1
    assert report.open_until is None
    difference, low, high = report.buyer_rate_difference
    assert difference == 0 and low < 0 < high
    assert report.profit_difference[0] == pytest.approx(10)
    assert told["lists"] == [str(LAST), str(LATER)]


def test_an_open_window_is_said(run_in: OpenRun) -> None:
    with run_in(**{"labels.window_months": 12}) as run:
        write_star(run, STAR)
        write_ledger(run, LISTS)
        assert measure_outcome(run, LAST).open_until == dt.date(2024, 6, 30)


def test_nothing_to_compare_is_said(run_in: OpenRun) -> None:
    with run_in() as run:
        write_star(run, STAR)
        with pytest.raises(NothingToDo, match="No list made since"):
            measure_outcome(run, LAST)
        write_ledger(run, {LAST: [("a", "Beta", 0)]})
        with pytest.raises(NothingToDo, match="no control group"):
            measure_outcome(run, LAST)
        with pytest.raises(NothingToDo, match="No list made since"):
            measure_outcome(run, LATER)


def test_a_control_group_finds_the_uplift_of_acting(run_in: OpenRun, gosales: Gosales) -> None:
    """Whoever is handed out buys; whoever is held back does not."""
    names = [f"k{number:02d}" for number in range(60)]
    start = [fact(name, "2023-01-01", "Alpha", 10) for name in names]
    flags = {"whitespace.control_share": 0.5, "whitespace.capacity_percent": 100}
    with run_in(**flags) as run:
        write_star(run, start)
        write_scores(run, [(n, "Beta", 0.1 + 0.01 * i, 50.0, 10.0) for i, n in enumerate(names)])
        rank_whitespace(run)
        handed = [r["customer_id"] for r in rows_of(run.workspace) if not r["control"]]
        assert read_ledger(run).num_rows == 60
        write_star(run, start + [fact(n, "2024-02-01", "Beta", 7) for n in handed])
        root = run.workspace.root
    called = gosales("outcome", "--workspace", root, "--since", LAST)
    assert called.code == 0
    assert "+100.0 points for acting" in called.out
    assert "+7.00" in called.out
