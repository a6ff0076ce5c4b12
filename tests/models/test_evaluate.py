from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from gosales.models.evaluate import (
    METRICS,
    Ranking,
    calibration_bins,
    customer_draws,
    gains,
    interval,
    measure,
    thresholds,
)


def figures(p: list[float], label: list[float], gp: list[float] | None = None) -> dict[str, float]:
    ranking = Ranking.of(
        np.array(p, dtype=float),
        np.array(label, dtype=float),
        np.array(gp or label, dtype=float),
        0.5,
    )
    return {name: float(values[0]) for name, values in measure(ranking).items()}


@pytest.mark.parametrize("digits", [1, 8])
def test_figures_are_those_of_scikit_learn(digits: int) -> None:
    rng = np.random.default_rng(0)
    p = np.round(rng.random(500), digits)
    label = (rng.random(500) < p).astype(float)
    found = figures(p.tolist(), label.tolist())
    assert found["auc"] == pytest.approx(roc_auc_score(label, p))
    assert found["pr_auc"] == pytest.approx(average_precision_score(label, p))
    assert found["brier"] == pytest.approx(brier_score_loss(label, p))
    assert list(found) == list(METRICS)


def test_weights_count_rows_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    p, label = np.round(rng.random(60), 1), (rng.random(60) < 0.3).astype(float)
    gp = rng.random(60) * 100
    weights = rng.integers(0, 3, 60).astype(float)
    repeated = np.repeat(np.arange(60), weights.astype(int))
    one = measure(Ranking.of(p, label, gp, 0.3), weights[None, :])
    other = measure(Ranking.of(p[repeated], label[repeated], gp[repeated], 0.3))
    for name in METRICS:
        if name != "calibration_mae":  # its bins hang on the rows, not on the weights
            assert one[name][0] == pytest.approx(other[name][0]), name


def test_lift_counts_a_tie_at_the_border_in_proportion() -> None:
    # Ten rows, the top two tie; one of them bought: half of it is in the top tenth.
    label = [1.0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    found = figures([0.9, 0.9, *[0.1] * 8], label)
    assert found["lift_at_10"] == pytest.approx(0.5 / 2 / 0.1)
    assert figures([0.5] * 10, label)["lift_at_10"] == pytest.approx(1.0)
    assert figures([0.5] * 10, label)["auc"] == pytest.approx(0.5)


def test_revenue_lift_weighs_buyers_by_what_they_brought() -> None:
    label = [1.0, 1, *[0.0] * 18]
    p = [0.9, *[0.5] * 18, 0.1]
    found = figures(p, label, [90.0, 10.0, *[-50.0] * 18])
    assert found["rev_lift_at_5"] == pytest.approx(0.9 / 0.05)


def test_thresholds_with_ties_count_all_that_reach_them() -> None:
    p = np.array([0.9, 0.8, 0.8, 0.8, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    rows = thresholds(p, (1, 10, 20, 50, 100))
    assert [row["threshold"] for row in rows] == [0.9, 0.9, 0.8, 0.5, 0.0]
    assert [row["count"] for row in rows] == [1, 1, 4, 5, 10]


def test_thresholds_round_the_share_up_without_rounding_noise() -> None:
    p = np.arange(1000, dtype=float)
    assert [row["count"] for row in thresholds(p, (0.1, 5, 7, 29, 99.95))] == [1, 50, 70, 290, 1000]


def test_calibration_bins_of_true_logits_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(2)
    p = 1 / (1 + np.exp(-rng.normal(-1, 1.5, 40_000)))
    label = (rng.random(len(p)) < p).astype(float)
    bins = calibration_bins(p, label)
    assert [row["count"] for row in bins] == [4000] * 10
    assert all(abs(row["mean_predicted"] - row["fraction_positives"]) < 0.03 for row in bins)
    assert figures(p.tolist(), label.tolist())["calibration_mae"] < 0.012
    pushed = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 1)))
    assert figures(pushed.tolist(), label.tolist())["calibration_mae"] > 0.1


def test_calibration_mae_is_the_weighted_gap_of_its_bins() -> None:
    rng = np.random.default_rng(3)
    p, label = np.round(rng.random(997), 2), (rng.random(997) < 0.4).astype(float)
    bins = calibration_bins(p, label)
    gap = sum(row["count"] * abs(row["mean_predicted"] - row["fraction_positives"]) for row in bins)
    assert figures(p.tolist(), label.tolist())["calibration_mae"] == pytest.approx(gap / 997)
    assert sum(row["count"] for row in bins) == 997


def test_tied_rows_share_a_bin() -> None:
    assert len(calibration_bins(np.full(100, 0.3), np.arange(100) % 2.0)) == 1


def test_gains_deciles_hold_a_tenth_each_and_add_up() -> None:
    rng = np.random.default_rng(4)
    p, parts = rng.random(400), np.repeat([0, 1], 200)
    label = (rng.random(400) < p).astype(float)
    rows = gains(p, label, np.arange(400), parts)
    assert [row["decile"] for row in rows] == list(range(1, 11))
    assert [row["count"] for row in rows] == [40] * 10
    assert rows[0]["p_mean"] > rows[-1]["p_mean"]
    total = sum(row["count"] * row["bought_in_division_mean"] for row in rows)
    assert total == pytest.approx(label.sum())


def test_draws_resample_customers_and_are_seeded() -> None:
    blocks = list(customer_draws(50, 30, seed=9))
    weights = np.vstack(blocks)
    assert weights.shape == (30, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert (weights == np.vstack(list(customer_draws(50, 30, seed=9)))).all()


def test_an_interval_of_noise_holds_a_half() -> None:
    rng = np.random.default_rng(5)
    p, label = rng.random(400), (rng.random(400) < 0.3).astype(float)
    ranking = Ranking.of(p, label, label, 0.3)
    drawn = np.concatenate([measure(ranking, w)["auc"] for w in customer_draws(400, 200, 1)])
    low, high = interval("auc", float(measure(ranking)["auc"][0]), drawn)
    assert low is not None and high is not None
    assert low < 0.5 < high


def test_one_class_has_no_auc_and_no_interval() -> None:
    found = figures([0.1, 0.2, 0.3], [0.0, 0.0, 0.0])
    assert np.isnan(found["auc"])
    assert np.isnan(found["lift_at_10"])
    assert interval("auc", found["auc"], np.full(100, np.nan)) == [None, None]
