"""What comes lies within the intervals as often as they say, whatever missed the forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosales.scoring import CERTAIN, LIKELY, Outlook
from tests.scoring.past import cell

DIVISIONS, CUSTOMERS = 8, 300


class World:
    """Divisions whose levels are missed by factors that are gamma distributed around 1."""

    def __init__(self, seed: int, common: float, own: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.common, self.own = common, own
        self.division = np.repeat(np.arange(DIVISIONS), CUSTOMERS)
        self.p = self.rng.beta(1, 12, len(self.division))
        self.worth = self.rng.lognormal(4, 0.7, len(self.division))

    def factor(self, variance: float, count: int) -> Any:
        return self.rng.gamma(1 / variance, variance, count) if variance else np.ones(count)

    def window(self) -> tuple[Any, Any]:
        """Whose purchases came, and what each was worth."""
        level = self.factor(self.common, 1) * self.factor(self.own, DIVISIONS)
        came = self.rng.random(len(self.p)) < np.minimum(self.p * level[self.division], 1)
        return came, came * self.worth * self.rng.lognormal(-0.32, 0.8, len(self.p))

    def cells(self, windows: int) -> list[dict[str, Any]]:
        found = []
        for number in range(windows):
            came, brought = self.window()
            for name in range(DIVISIONS):
                at = self.division == name
                found.append(cell(number, self.p[at], self.worth[at], came[at], brought[at]))
        return found

    def intervals(self, outlook: Outlook, coverage: float) -> dict[str, list[float]]:
        return outlook.intervals(self.p, self.p * self.worth, self.division, coverage)


@pytest.mark.parametrize(("common", "own"), [(0.0, 0.0), (0.1, 0.05), (0.02, 0.5)])
def test_intervals_hold_as_often_as_they_say(common: float, own: float) -> None:
    """More often where levels do not move at all: a few windows cannot tell that."""
    held: dict[tuple[str, float], list[bool]] = {}
    for seed in range(120):
        world = World(seed, common, own)
        outlook = Outlook.of(world.cells(12), "expansion")
        came, brought = world.window()
        for coverage in (LIKELY, CERTAIN):
            found = world.intervals(outlook, coverage)
            for name, value in (("expected_buyers", came.sum()), ("expected_gp", brought.sum())):
                low, high = found[name]
                held.setdefault((name, coverage), []).append(low <= value <= high)
    for (name, coverage), times in held.items():
        assert np.mean(times) > coverage - 0.1, (name, coverage, np.mean(times))
    if own:
        assert np.mean(held["expected_buyers", LIKELY]) < 0.99


def width(outlook: Outlook, world: World) -> float:
    low, high = world.intervals(outlook, LIKELY)["expected_gp"]
    return high / low


def test_a_level_that_was_missed_widens_them() -> None:
    calm, wild = World(3, 0.0, 0.0), World(3, 0.6, 0.0)
    prior = width(Outlook.of([], "expansion"), calm)
    learnt = [width(Outlook.of(world.cells(8), "expansion"), calm) for world in (calm, wild)]
    assert learnt[0] < prior < learnt[1]


def test_only_forecasts_that_knew_the_past_tell_of_levels() -> None:
    world = World(5, 0.6, 0.3)
    cells = world.cells(8)
    late = [cell | {"in_time": False} for cell in cells]
    before, seen, hindsight = (Outlook.of(some, "expansion") for some in ([], cells, late))
    assert hindsight.buyers == before.buyers != seen.buyers
    assert hindsight.profit.common == before.profit.common
    assert hindsight.profit.scale == seen.profit.scale != before.profit.scale
    assert Outlook.of(cells, "renewal_like") == before


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_past_gives_an_interval_around_what_is_expected(data: st.DataObject) -> None:
    amount = st.one_of(st.just(0.0), st.floats(0.01, 1e9))
    cells = [
        {
            "cohort": "expansion",
            "cutoff": data.draw(st.sampled_from(["2023-06-30", "2023-12-31"])),
            "in_time": data.draw(st.booleans()),
            "customers": 10,
            **{
                name: data.draw(amount)
                for name in (
                    "expected_buyers", "buyers", "expected_gp", "gross_profit",
                    "buyers_variance", "expected_gp_squares", "gross_profit_squares",
                )
            },
        }
        for _ in range(data.draw(st.integers(0, 6)))
    ]  # fmt: skip
    outlook = Outlook.of(cells, "expansion")
    p = np.array(data.draw(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=20)))
    worth = np.array([data.draw(amount) for _ in p])
    narrow, wide = (
        outlook.intervals(p, p * worth, np.arange(len(p)) % 3, one) for one in (0.5, 0.99)
    )
    for name in narrow:
        assert 0 <= wide[name][0] <= narrow[name][0] <= narrow[name][1] <= wide[name][1]
        assert np.isfinite(wide[name]).all()
    assert narrow["expected_gp"][0] <= (p * worth).sum() + 0.01


def test_nothing_expected_is_nothing() -> None:
    none = np.zeros(0)
    found = Outlook.of([], "expansion").intervals(none, none, none, LIKELY)
    assert found == {"expected_buyers": [0.0, 0.0], "expected_gp": [0.0, 0.0]}
