"""What a model has to beat: the prevalence, and a rule of recency and frequency.

The rule is one line a sales manager could write: who ordered often in the division, often at
all, and lately. It gets the same chance as a model: its level is fitted on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gosales.models.calibrate import fit_calibrator
from gosales.models.frame import OWNED_SOURCE, Floats, Frame, Ints

__all__ = ["BASELINES", "recency_frequency", "rule_probability"]

BASELINES = ("prevalence", "recency_frequency")
RULE_FEATURES = (
    (OWNED_SOURCE, 1.0),
    ("rfm__div__tx_n__12m", 1.0),
    ("rfm__all__tx_n__12m", 1.0),
    ("rfm__all__recency_days__life", -0.5),
)


def recency_frequency(x: Floats, names: Sequence[str]) -> Floats:
    """The rule's score: logs of orders in the division and in all, less the log of recency."""
    score = np.zeros(len(x))
    for name, weight in RULE_FEATURES:
        if name in names:
            column = np.nan_to_num(x[:, list(names).index(name)], nan=0.0)
            score += weight * np.log1p(np.maximum(column, 0.0))
    return score


def rule_probability(frame: Frame, train: Ints, test: Ints) -> Floats:
    """The rule's probabilities on ``test`` with its line fitted on ``train``."""
    score = recency_frequency(frame.x, frame.names)
    return fit_calibrator("platt", score[train], frame.label[train]).probability(score[test])
