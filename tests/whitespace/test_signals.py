from __future__ import annotations

import numpy as np
import pytest

from gosales.whitespace import percentile
from gosales.whitespace.signals import signals, whitespace_score


def test_percentiles_run_from_0_to_1_and_share_ties() -> None:
    assert percentile(np.array([3.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 0.5]
    assert percentile(np.array([1.0, 1.0, 2.0])).tolist() == [0.25, 0.25, 1.0]
    assert percentile(np.array([5.0])).tolist() == [1.0]
    assert percentile(np.array([])).tolist() == []


def test_the_score_is_the_weighted_mean_of_the_signals() -> None:
    found = signals(np.array([100.0, 0.0]), np.array([1.0, 9.0]))
    score = whitespace_score(found, {"probability": 1.0, "expected_gp": 3.0})
    assert score == pytest.approx([0.25, 0.75])
