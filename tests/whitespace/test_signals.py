from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosales.scoring import percentile
from gosales.whitespace.signals import (
    SIGNALS,
    capped_worth,
    effective_weights,
    relative_worth,
    signals,
)

NAN = np.nan


def made(normalize: str = "pooled", **more: list[float]):
    columns = {
        "probability": [0.1, 0.2, 0.3, 0.4],
        "worth": [4.0, 3.0, 2.0, 1.0],
        "lift_max": [NAN] * 4,
        "lift_mean": [NAN] * 4,
        "similarity": [NAN] * 4,
    } | more
    arrays = {name: np.array(values) for name, values in columns.items()}
    return signals(**arrays, division=np.array([0, 0, 1, 1]), normalize=normalize)


def test_percentiles_run_from_0_to_1_and_share_ties() -> None:
    assert percentile(np.array([3.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 0.5]
    assert percentile(np.array([1.0, 1.0, 2.0])).tolist() == [0.25, 0.25, 1.0]
    assert percentile(np.array([5.0])).tolist() == [1.0]
    assert percentile(np.array([])).tolist() == []


def test_pooled_or_within_the_division() -> None:
    odds = np.array([0.1, 0.2, 0.3, 0.4])
    scale = 1 + np.log10(odds / 0.4) / 3
    assert made("pooled").values["probability"].tolist() == pytest.approx(scale.tolist())
    assert made("percentile").values["probability"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("spread", [0.01, 1.0, 40.0])
def test_percentiles_are_near_uniform_in_each_division(spread: float) -> None:
    rng = np.random.default_rng(5)
    division = rng.integers(0, 4, 4000)
    odds = rng.lognormal(division, spread)
    empty = np.full(4000, NAN)
    found = signals(odds, odds, empty, empty, empty, division, "percentile")
    for number in range(4):
        values = found.values["probability"][division == number]
        counts, _ = np.histogram(values, 10, (0, 1))
        assert counts.min() > len(values) / 10 - 3
        assert values.mean() == pytest.approx(0.5)


def test_the_worth_is_capped_at_its_divisions_95th_percentile() -> None:
    worth = np.array([*range(1, 101), 1e9, *range(1000, 1101)], dtype=float)
    division = np.array([0] * 101 + [1] * 101)
    capped = capped_worth(worth, division)
    assert capped[100] == capped[:101].max() == 96
    assert capped[101:].max() == 1095
    assert (capped <= worth).all()


def test_relative_worth_is_beside_a_typical_purchase_of_the_division() -> None:
    odds = np.array([0.1, 0.2, 0.5, 0.1, 0.0])
    # Purchases worth 10, 40 and 20 in one division, 500 and nobody's in the other.
    found = relative_worth(odds, np.array([1.0, 8.0, 10.0, 50.0, 0.0]), np.array([0, 0, 0, 1, 1]))
    capped = np.quantile([10, 40, 20], 0.95)
    usual = (10 * capped * 20) ** (1 / 3)
    assert found[:4].tolist() == pytest.approx([10 / usual, capped / usual, 20 / usual, 1])
    assert np.isnan(found[4])
    nothing = relative_worth(odds, np.zeros(5), np.zeros(5, dtype=np.int64))
    assert nothing[:4].tolist() == [0, 0, 0, 0]


@given(st.integers(0, 10**6), st.floats(1e-4, 1e6))
def test_a_dear_division_has_no_greater_relative_worth(seed: int, dear: float) -> None:
    rng = np.random.default_rng(seed)
    odds, worth = rng.uniform(0.001, 0.9, 40), rng.lognormal(3, 1, 40)
    division = rng.integers(0, 3, 40)
    dearer = worth * np.where(division == 1, dear, 1.0)
    # Nor has a customer with better odds.
    likelier = odds * rng.uniform(0.1, 1.0, 40)
    before = relative_worth(odds, odds * worth, division)
    assert relative_worth(likelier, likelier * dearer, division) == pytest.approx(before)


def test_a_pair_without_a_signal_is_judged_on_its_others() -> None:
    found = made(similarity=[NAN, 0.9, 0.1, 0.5])
    assert found.coverage["similarity"] == 0.75
    assert found.coverage["affinity"] == 0
    score = found.score({"probability": 1.0, "similarity": 1.0, "affinity": 1.0})
    odds, likeness = found.values["probability"], found.values["similarity"]
    assert score.tolist() == pytest.approx([odds[0], *((odds + likeness) / 2)[1:]])
    assert found.score({"affinity": 1.0}).tolist() == [0, 0, 0, 0]


def test_affinity_is_of_the_greatest_and_the_mean_lift() -> None:
    both = made(lift_max=[1.0, 2, 3, 4], lift_mean=[4.0, 3, 2, 1]).values["affinity"]
    assert both.tolist() == pytest.approx(both[::-1].tolist())
    assert both[0] == pytest.approx((1 + 1 + np.log10(1 / 4) / 3) / 2)
    within = made("percentile", lift_max=[1.0, 2, 3, 4], lift_mean=[4.0, 3, 2, 1])
    assert within.values["affinity"].tolist() == pytest.approx([0.5] * 4)


def test_a_pooled_signal_is_nothing_at_a_thousandth_and_below() -> None:
    values = made(worth=[1e6, 1e3, 1e-9, 0.0]).values["expected_gp"]
    # The greatest of a division is capped at its 95th percentile: here close below it.
    assert values[0] == 1.0
    assert values[1] == pytest.approx(0.0, abs=0.01)
    assert values[2:].tolist() == [0, 0]
    assert made(worth=[0.0] * 4).values["expected_gp"].tolist() == [0] * 4
    assert made(similarity=[-0.5, 0.1, 0.2, NAN]).values["similarity"][0] == 0
    empty = signals(*[np.array([])] * 5, division=np.array([], dtype=np.int64), normalize="pooled")
    assert empty.values["probability"].tolist() == []


def test_the_pooled_score_ranks_as_a_product_of_powers_does() -> None:
    rng = np.random.default_rng(3)
    odds, worth = rng.uniform(0.01, 0.6, 500), rng.lognormal(5, 1, 500)
    empty, division = np.full(500, NAN), np.zeros(500, dtype=np.int64)
    found = signals(odds, odds * worth, empty, empty, empty, division, "pooled")
    score = found.score({"probability": 0.9, "expected_gp": 0.1})
    value = capped_worth(odds * worth, division)
    shown = value > value.max() / 1000
    power = odds**0.9 * value**0.1
    assert (np.argsort(score[shown]) == np.argsort(power[shown])).all()


def test_thin_coverage_takes_weight_and_says_so() -> None:
    asked = {"probability": 1.0, "affinity": 1.0, "similarity": 2.0}
    coverage = {"probability": 1.0, "expected_gp": 1.0, "affinity": 0.25, "similarity": 0.0}
    weights = effective_weights(asked, coverage, 0.5)
    assert weights.used == pytest.approx(
        dict.fromkeys(SIGNALS, 0) | {"probability": 2 / 3, "affinity": 1 / 3}
    )
    assert len(weights.notes) == 2
    assert (
        "'affinity' is known for 25% of the pairs: its weight falls from 1 to 0.5"
        in (weights.notes[0])
    )


def test_without_any_weighted_signal_the_probability_ranks() -> None:
    coverage = {"probability": 1.0, "expected_gp": 1.0, "affinity": 0.0, "similarity": 0.0}
    weights = effective_weights({"similarity": 1.0}, coverage, 0.5)
    assert weights.used["probability"] == 1.0
    assert "ranks alone" in weights.notes[-1]
