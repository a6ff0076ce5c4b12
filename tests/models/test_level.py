from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.models.level import Line, fit_line, sigmoid
from gosales.months import add_months, month_ends

DAYS = [add_months(dt.date(2022, 6, 30), 3 * n) for n in range(5)]


def rows(levels: list[float], slope: float = 0.8, n: int = 6000) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(5)
    margin = rng.normal(0, 1, n * len(levels))
    day = np.repeat([one.toordinal() for one in DAYS[: len(levels)]], n)
    odds = slope * margin + np.repeat(levels, n)
    return margin, (rng.random(len(margin)) < sigmoid(odds)).astype(float), day


def test_one_slope_and_a_level_a_cutoff_are_found() -> None:
    levels = [-2.0, -1.0, -1.5, -2.5]
    line = fit_line(*rows(levels), free_slope=True)
    assert line.slope == pytest.approx(0.8, abs=0.05)
    assert line.levels == pytest.approx(levels, abs=0.15)


def test_a_level_with_few_rows_is_drawn_to_the_others() -> None:
    margin, label, day = rows([-2.0, -2.0, -2.0])
    few = day == DAYS[2].toordinal()
    keep = ~few | (np.arange(len(day)) % 600 == 0)
    label = np.where(few, 1.0, label)  # ten customers, all buyers
    line = fit_line(margin[keep], label[keep], day[keep], free_slope=True)
    assert -2.0 < line.levels[2] < 1.0


def test_the_next_level_is_the_last_one_and_some_of_the_year_before() -> None:
    days = np.array([one.toordinal() for one in DAYS[1:]])
    line = Line(1.0, days, np.array([-2.0, -3.0, -2.0, -1.5]))
    # The window after 2023-12-31: the newest is 2023-06-30, a year before is 2022-12-31.
    assert line.forecast(dt.date(2023, 12, 31), 6) == pytest.approx(0.7 * -1.5 + 0.3 * -3.0)
    assert line.forecast(dt.date(2025, 12, 31), 6) == pytest.approx(-1.5)
    assert line.forecast(dt.date(2023, 12, 31), 12) == pytest.approx(-1.5)
    # A level like that of the year before it (2022-06-30), and not like the last one (2022-12-31).
    days = np.array([one.toordinal() for one in DAYS])
    line = Line(1.0, days, np.array([-1.0, -2.0, -3.0, -2.0, -1.5]))
    assert line.last_weight(6) == pytest.approx((0.7 * 0.5 + 0.5 * 2.0) / (0.5 + 4.0))


def test_a_ranking_is_never_turned_over() -> None:
    margin, label, day = rows([-1.0, -1.2], slope=-1.0)
    assert fit_line(margin, label, day, free_slope=True).slope > 0


def test_the_slope_can_be_held_at_one() -> None:
    line = fit_line(*rows([-1.0, -2.0], slope=0.5), free_slope=False)
    assert line.slope == pytest.approx(1.0)


def test_a_season_is_learnt_and_a_drift_is_not_taken_for_one() -> None:
    ends = month_ends(dt.date(2020, 1, 31), dt.date(2022, 6, 30))
    days = np.array([day.toordinal() for day in ends])
    target = dt.date(2022, 12, 31)  # windows of six months: the last known cutoff is of June
    season = Line(1.0, days, np.cos(np.arange(30) * 2 * np.pi / 12))
    assert season.last_weight(6) < 0.05
    assert season.forecast(target, 6) == pytest.approx(season.levels[23], abs=0.1)
    steps = Line(1.0, days, np.repeat([0.0, 2.0, 4.0, 6.0, 8.0], 6))
    assert steps.last_weight(6) == 1.0
    assert steps.forecast(target, 6) == pytest.approx(8.0)
    flat = Line(1.0, days, np.full(30, -1.0))
    assert flat.last_weight(6) == pytest.approx(0.7)


def test_the_weight_of_the_last_level_waits_for_evidence() -> None:
    """Eleven months hold no window that is a year after a closed one."""
    ends = month_ends(dt.date(2020, 1, 31), dt.date(2020, 11, 30))
    days = np.array([day.toordinal() for day in ends])
    assert Line(1.0, days, np.cos(np.arange(11.0))).last_weight(6) == pytest.approx(0.7)
