"""A division without a closed window is at the level that the days since its launch tell."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.models.lately import lately
from gosales.models.launched import launched, posterior
from gosales.models.level import Line
from gosales.months import add_months
from gosales.run import Run
from tests.conftest import fact, write_star

TARGET = dt.date(2024, 6, 30)
LAUNCH = dt.date(2024, 3, 31)
OTHERS = [(1000.0, 40.0), (900.0, 60.0), (800.0, 30.0)]


def test_few_buyers_where_others_have_many_mean_a_low_level() -> None:
    none, some, usual = (posterior((1000.0, buyers), OTHERS) for buyers in (0.0, 10.0, 45.0))
    assert none < -2 < some < -1 and usual == pytest.approx(0.0, abs=0.15)


def test_a_burst_at_the_launch_is_not_believed_to_last() -> None:
    assert posterior((1000.0, 900.0), OTHERS) == 0.0


def test_a_launch_of_yesterday_is_at_the_level_of_the_others() -> None:
    """Hardly anybody of the others' buys in a day either."""
    assert abs(posterior((1000.0, 0.0), [(1000.0, 0.0), (900.0, 1.0), (800.0, 0.0)])) < 0.3


def world(run: Run, buyers: int) -> None:
    """Three divisions whose first buyers come evenly, and a fourth with so many since March."""
    lines = [fact(f"c{n}", "2020-01-01", "Old", 5) for n in range(1200)]
    for place, name in enumerate(("A", "B", "C")):
        for n in range(300):
            day = add_months(dt.date(2022, 7, 15), n % 24)
            lines.append(fact(f"c{(400 * place + n) % 1200}", str(day), name, 5))
    lines += [fact("c0", str(LAUNCH), "New", 5), fact("c0", str(TARGET), "Old", 5)]
    lines += [fact(f"c{600 + n}", "2024-05-15", "New", 5) for n in range(buyers)]
    write_star(run, lines)


def test_only_what_was_launched_within_the_open_window_is_moved(run: Run) -> None:
    world(run, 0)
    names = ["A", "B", "C", "New", "Old"]
    found = launched(run, names, [TARGET, LAUNCH, add_months(LAUNCH, 12)], 6)
    assert set(found) == {("New", TARGET)} and found["New", TARGET] < -2
    assert lately(run, names, [TARGET], 6)["New", TARGET].launch == found["New", TARGET]
    assert lately(run, names, [TARGET], 6)["A", TARGET].launch == 0
    world(run, 8)
    assert found["New", TARGET] < launched(run, names, [TARGET], 6)["New", TARGET] < -0.5
    world(run, 9)
    assert launched(run, names, [TARGET], 6) == {}


def test_a_launch_moves_the_forecast(run: Run) -> None:
    world(run, 0)
    moves = lately(run, ["A", "B", "C", "New"], [TARGET], 1) | lately(
        run, ["A", "B", "C", "New"], [TARGET], 6
    )
    line = Line(1.0, np.array([dt.date(2023, 12, 31).toordinal()]), np.array([-2.0]))
    low = line.forecast(TARGET, 6, moves["New", TARGET])
    assert low == pytest.approx(-2.0 + moves["New", TARGET].launch)
