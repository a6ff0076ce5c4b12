from __future__ import annotations

import numpy as np
import pytest

from gosales.whitespace.intervals import (
    false_discovery,
    mean_difference,
    rate_difference,
    wilson,
)


def test_wilson_agrees_with_published_values() -> None:
    """Newcombe (1998), table I: 81/263, 15/148, 0/20 and 1/29."""
    low, high = wilson(np.array([81.0, 15, 0, 1, 0]), np.array([263.0, 148, 20, 29, 0]))
    assert low.tolist() == pytest.approx([0.2553, 0.0624, 0.0, 0.0061, 0.0], abs=5e-5)
    assert high.tolist() == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718, 1.0], abs=5e-5)


def test_the_difference_of_rates_agrees_with_published_values() -> None:
    """Newcombe (1998), table II, method 10: 56/70 - 48/80 and 9/10 - 3/10 and 0/10 - 0/20."""
    assert rate_difference(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert rate_difference(9, 10, 3, 10) == pytest.approx((0.6, 0.1705, 0.8090), abs=5e-5)
    assert rate_difference(0, 10, 0, 20) == pytest.approx((0.0, -0.1611, 0.2775), abs=5e-5)


def test_the_difference_of_means_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        _, low, high = mean_difference(rng.normal(5, 1, 12), rng.normal(3, 4, 30))
        hits += low is not None and high is not None and low <= 2 <= high
    assert 0.92 < hits / 400 < 0.98
    assert mean_difference(np.array([1.0]), np.array([2.0, 3.0])) == (-1.5, None, None)
    assert mean_difference(np.zeros(5), np.zeros(5)) == (0.0, 0.0, 0.0)


def test_false_discovery_is_the_step_up_rule() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.8])
    q = false_discovery(p)
    for level in (0.01, 0.03, 0.05, 0.06, 0.9):
        ranked = sorted(p)
        passed = [k for k in range(5) if ranked[k] <= level * (k + 1) / 5 + 1e-12]
        called = set(ranked[: max(passed) + 1]) if passed else set()
        assert {v for v, one in zip(p, q, strict=True) if one <= level + 1e-12} == called
