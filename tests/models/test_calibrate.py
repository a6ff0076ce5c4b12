from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.models.calibrate import (
    Calibrator,
    Evidence,
    choose_calibrator,
    fit_calibrator,
    sigmoid,
)

N = 4000
DAY = dt.date(2023, 6, 30)


def evidence(margin: np.ndarray, label: np.ndarray) -> Evidence:
    day = np.full(len(margin), DAY.toordinal())
    return Evidence(margin, label, day, np.arange(len(margin)) % 5)


def fit(method: str, margin: np.ndarray, label: np.ndarray) -> Calibrator:
    return fit_calibrator(method, evidence(margin, label), DAY, 6)


def choose(
    methods: list[str], margin: np.ndarray, label: np.ndarray, least: int = 100
) -> tuple[Calibrator, dict[str, float]]:
    return choose_calibrator(methods, evidence(margin, label), DAY, 6, least)


def logits(slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of a model whose true log-odds are ``slope * margin + intercept``."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(0, 1.5, N)
    return margin, (rng.random(N) < sigmoid(slope * margin + intercept)).astype(float)


def test_platt_finds_the_line() -> None:
    found = fit("platt", *logits(0.5, -1.0))
    assert found.slope == pytest.approx(0.5, abs=0.08)
    assert found.intercept == pytest.approx(-1.0, abs=0.1)


def test_platt_never_turns_a_ranking_over() -> None:
    found = fit("platt", *logits(-1.0, 0.0))
    assert found.slope > 0


def test_isotonic_follows_steps_and_keeps_the_order() -> None:
    rng = np.random.default_rng(1)
    margin = rng.normal(size=N)
    label = (rng.random(N) < np.where(margin > 1, 0.8, 0.1)).astype(float)
    p = fit("isotonic", margin, label).probability(margin)
    assert p[margin > 1.2].mean() == pytest.approx(0.8, abs=0.05)
    assert (np.diff(p[np.argsort(margin)]) >= 0).all()
    assert ((p > 0) & (p < 1)).all()


def test_calibrated_is_never_worse_than_uncalibrated() -> None:
    margin, label = logits(1.0, 0.0)
    found, briers = choose(["platt", "isotonic"], margin, label)
    assert found.method == "none" or briers[found.method] < briers["none"]
    twisted, briers = choose(["platt", "isotonic"], *logits(0.3, -2.0))
    assert twisted.method in ("platt", "isotonic")
    assert briers[twisted.method] < briers["none"]


def test_isotonic_needs_enough_positives() -> None:
    margin, label = logits(1.0, 0.0)
    _, briers = choose(["isotonic"], margin, label, int(label.sum()) + 1)
    assert list(briers) == ["none"]


def test_one_class_stays_as_it_is() -> None:
    margin = np.array([0.1, 0.2])
    assert fit("platt", margin, np.zeros(2)) == Calibrator("none")


def test_isotonic_never_says_certain() -> None:
    margin = np.linspace(-3, 3, 200)
    p = fit("isotonic", margin, (margin > 0).astype(float)).probability(margin)
    assert 0.99 < p.max() < 1 - 1e-4
    assert 1e-4 < p.min() < 0.01


@pytest.mark.parametrize("method", ["none", "platt", "isotonic"])
def test_the_native_form_is_equal_to_the_bit(method: str) -> None:
    margin, label = logits(0.7, -1.0)
    found = fit(method, margin, label)
    again = Calibrator.from_native(found.native())
    assert again == found
    assert (again.probability(margin) == found.probability(margin)).all()


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
