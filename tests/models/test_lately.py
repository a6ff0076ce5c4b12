"""Open windows tell where a level is going, and nothing that comes after the target does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gosales.models.lately import Moves, lately
from gosales.models.level import LATELY, Line
from gosales.months import add_months, label_window, part_of_window
from gosales.run import Run
from tests.conftest import fact, write_star

TARGET = dt.date(2024, 6, 30)


def months(first: int, last: int, division: str, every: int, buyers: int) -> list[Any]:
    """From so many months before the target to so many, each with its own first buyers."""
    return [
        fact(f"{division}{back}-{n}", str(add_months(TARGET, -back) - dt.timedelta(3)), division, 9)
        for back in range(first, last - 1, -every)
        for n in range(buyers)
    ]


def crowd(count: int = 3000, last: dt.date = TARGET) -> list[Any]:
    """Customers of another division, and an order on the last day of the log."""
    return [fact(f"old{n}", day, "Other", 5) for n in range(count) for day in ("2020-01-01", last)]


def firsts(run: Run, lines: list[Any], window: int = 6) -> Moves:
    buyers = sorted({line["customer_id"] for line in lines})
    write_star(run, [*crowd(), *(fact(b, "2020-01-01", "Other", 5) for b in buyers), *lines])
    return lately(run, ["PDM", "Other"], [TARGET], window)["PDM", TARGET]


def test_first_purchases_that_stop_move_both_levels_down(run: Run) -> None:
    moves = firsts(run, months(24, 3, "PDM", 1, 12))
    assert moves.last < -0.8 and moves.year < -1.0


def test_a_season_moves_the_newest_window_alone(run: Run) -> None:
    """Twice as many buyers in the quarter to June of either year."""
    lines = [line for back in (0, 1, 2, 12, 13, 14) for line in months(back, back, "PDM", 1, 24)]
    lines += [line for back in (3, 4, 5, 15, 16, 17) for line in months(back, back, "PDM", 1, 12)]
    moves = firsts(run, lines)
    assert moves.last == pytest.approx(0.29, abs=0.1)
    assert moves.year == pytest.approx(0.0, abs=0.12)


def test_the_last_day_of_february_is_in_one_part_alone(run: Run) -> None:
    """A log that bills on the 29th, and most in February, which has a shorter month."""
    target = dt.date(2023, 5, 29)
    bills = [
        fact(f"{back}-{n}", str(add_months(target, -back)), "PDM", 9)
        for back in range(24)
        for n in range(60 if back % 12 == 3 else 12)
    ]
    known = [fact(bill["customer_id"], "2020-01-01", "Other", 5) for bill in bills]
    write_star(run, [*crowd(3000, target), *bills, *known])
    moves = lately(run, ["PDM", "Other"], [target], 6)["PDM", target]
    assert moves.last < -0.2 and moves.year == pytest.approx(0.0, abs=0.1)


def test_few_buyers_move_little(run: Run) -> None:
    many, few = (firsts(run, months(24, 3, "PDM", 1, buyers)) for buyers in (12, 1))
    assert many.last < few.last <= 0 and abs(few.year) < abs(many.year) / 2


def test_windows_of_a_month_have_no_parts(run: Run) -> None:
    write_star(run, [*crowd(5), *months(24, 0, "PDM", 1, 2)])
    assert lately(run, ["PDM"], [TARGET], 1) == {}


@given(st.dates(dt.date(2023, 1, 1), dt.date(2024, 6, 30)), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_future_changes_nothing(run: Run, target: dt.date, seed: int) -> None:
    import random

    rng = random.Random(seed)
    past = [
        fact(f"c{rng.randrange(30)}", str(target - dt.timedelta(rng.randrange(700))), "PDM", 7)
        for _ in range(120)
    ] + crowd(20, target)
    future = [
        fact(
            f"c{rng.randrange(30)}", str(target + dt.timedelta(1 + rng.randrange(200))), "PDM", -70
        )
        for _ in range(60)
    ] + [fact("c1", str(target + dt.timedelta(9)), "Launched", 50)]
    found = []
    for lines in (past, [*past, *future]):
        write_star(run, lines)
        names = sorted({line["product_division"] for line in lines})
        found.append(lately(run, names, [target], 6))
    assert found[0].items() <= found[1].items()


def test_a_forecast_moves_as_far_as_its_weights_say() -> None:
    days = [add_months(TARGET, -months) for months in (18, 12, 6)]
    line = Line(1.0, *_levels(days, [-2.0, -3.0, -1.5]))
    still, moved = (line.forecast(TARGET, 6, one) for one in (Moves(), Moves(-0.4, 0.6)))
    weight = line.last_weight(6)
    assert moved - still == pytest.approx(weight * LATELY * -0.4 + (1 - weight) * 0.6)
    # A level that was fitted on a window still open at the target has seen what came lately.
    early = dt.date(2024, 3, 31)
    assert line.forecast(early, 6, Moves(-0.4)) == line.forecast(early, 6)


def _levels(days: list[dt.date], levels: list[float]) -> Any:
    import numpy as np

    return np.array([day.toordinal() for day in days]), np.array(levels)


@given(st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)), st.integers(2, 12))
def test_parts_fill_the_window(day: dt.date, window: int) -> None:
    part = part_of_window(window)
    assert window % part == 0 and part <= window / 2
    assert label_window(day, part).end > day
