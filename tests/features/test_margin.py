"""The margin: there where the log tells revenue from profit, absent where it does not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from gosales.features import build_features
from gosales.run import Run
from tests.conftest import fact, write_star
from tests.features.logs import by_customer, read, written

CUTOFF = dt.date(2024, 6, 30)
NAME = "margin__all__rate__12m"


def test_margin_is_profit_over_revenue_of_lines_that_have_one(run: Run) -> None:
    lines = [
        fact("a", "2024-05-01", "PDM", 20, revenue=Decimal(50)),
        fact("a", "2024-05-02", "PDM", 1000, revenue=None),
        fact("b", "2024-05-02", "PDM", -30, revenue=Decimal(10)),
        fact("c", "2024-05-02", "PDM", -30, revenue=Decimal(-40)),
    ]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    rows = by_customer(read(run, "PDM", CUTOFF))
    assert [rows[c][NAME] for c in "abc"] == [0.4, -1.0, None]


def test_a_log_without_revenue_has_no_margin(run: Run) -> None:
    write_star(run, [fact("a", "2024-05-01", "PDM", 20), fact("b", "2024-05-01", "PDM", 30)])
    build_features(run, ["PDM"], [CUTOFF])
    assert not any(n.startswith("margin") for n in read(run, "PDM", CUTOFF).column_names)


def test_revenue_that_is_the_profit_is_no_margin_either(run: Run) -> None:
    """Not even where a later line tells the two apart, or a customer has no revenue."""
    lines = [
        fact("a", "2024-05-01", "PDM", 20, revenue=Decimal(20)),
        fact("b", "2024-05-01", "PDM", 30, revenue=None),
        fact("c", "2024-05-01", "PDM", -30, revenue=Decimal(-30)),
        fact("a", "2024-07-01", "PDM", 20, revenue=Decimal(90)),
    ]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    assert not any(n.startswith("margin") for n in written(run, "PDM", CUTOFF).column_names)
