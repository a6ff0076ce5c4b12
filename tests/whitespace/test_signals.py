from __future__ import annotations

import numpy as np
import pytest

from gosales.scoring import percentile
from gosales.whitespace.signals import capped_worth, effective_weights, signals

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
    assert made("pooled").values["probability"].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
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


def test_a_pair_without_a_signal_is_judged_on_its_others() -> None:
    found = made(similarity=[NAN, 0.9, 0.1, 0.5])
    assert found.coverage["similarity"] == 0.75
    assert found.coverage["affinity"] == 0
    score = found.score({"probability": 1.0, "similarity": 1.0, "affinity": 1.0})
    assert score.tolist() == pytest.approx([0, (1 / 3 + 1) / 2, (2 / 3 + 0) / 2, (1 + 0.5) / 2])
    assert found.score({"affinity": 1.0}).tolist() == [0, 0, 0, 0]


def test_affinity_is_of_the_greatest_and_the_mean_lift() -> None:
    found = made(lift_max=[1.0, 2, 3, 4], lift_mean=[4.0, 3, 2, 1])
    assert found.values["affinity"].tolist() == pytest.approx([0.5] * 4)


def test_thin_coverage_takes_weight_and_says_so() -> None:
    asked = {"probability": 1.0, "affinity": 1.0, "similarity": 2.0}
    coverage = {"probability": 1.0, "expected_gp": 1.0, "affinity": 0.25, "similarity": 0.0}
    weights = effective_weights(asked, coverage, 0.5)
    assert weights.used == pytest.approx(
        {"probability": 2 / 3, "expected_gp": 0, "affinity": 1 / 3, "similarity": 0}
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
