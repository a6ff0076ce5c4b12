from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gosales.models.choice import Ballot, beats
from gosales.models.evaluate import Ranking, customer_draws, measure
from gosales.models.lead import auc_influence, leads, lift_influence


def some(seed: int, n: int = 1500, skill: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and two scores of them, the second noisier."""
    rng = np.random.default_rng(seed)
    drive = rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(2 - 1.2 * drive))).astype(float)
    first = np.round(skill * drive + rng.normal(size=n), 1)
    return label, first, np.round(drive + 3 * rng.normal(size=n), 1)


@pytest.mark.parametrize(("name", "how"), [("auc", auc_influence), ("lift_at_10", lift_influence)])
def test_influence_agrees_with_the_figure_and_with_its_bootstrap(name: str, how: object) -> None:
    label, first, second = some(1)
    code = np.arange(len(label)) // 2  # two rows a customer
    drawn = []
    influence = []
    for scores in (first, second):
        ranking = Ranking.of(scores, label, label, 0.2)
        value, moves = how(scores, label)  # type: ignore[operator]
        assert value == pytest.approx(measure(ranking)[name][0], abs=1e-9)
        assert moves.sum() == pytest.approx(0, abs=1e-9)
        influence.append(moves)
        blocks = customer_draws(code.max() + 1, 800, 3)
        drawn.append(np.concatenate([measure(ranking, w[:, code])[name] for w in blocks]))
    spread = np.std(drawn[0] - drawn[1])
    by_customer = np.bincount(code, influence[0] - influence[1])
    assert np.sqrt(np.sum(by_customer**2)) == pytest.approx(spread, rel=0.15)


def log_odds(score: np.ndarray, label: np.ndarray) -> np.ndarray:
    return LogisticRegression(C=1e6).fit(score[:, None], label).decision_function(score[:, None])


def test_a_lead_is_seen_where_there_is_one_and_seldom_where_there_is_none() -> None:
    def found(skill: float) -> float:
        wins = []
        for seed in range(60):
            label, first, second = some(seed, skill=skill)
            there = np.zeros(len(label), dtype=np.int64) + 738000
            number = np.arange(len(label)) / len(label)
            ballot = Ballot(label, label, there, there, number)
            wins.append(beats(ballot, *(log_odds(score, label) for score in (first, second))))
        return float(np.mean(wins))

    assert found(1.0) > 0.95
    assert found(1 / 3) < 0.06  # as good as the other: three figures, each wrong once in 200


def test_a_ranking_does_not_lead_itself() -> None:
    label, first, _ = some(5)
    assert not leads([(first, first, label, np.arange(len(label)))])
