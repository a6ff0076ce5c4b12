"""Scores, grades, worth and reasons for every customer and division."""

from __future__ import annotations

from gosales.scoring.grades import percentile
from gosales.scoring.score import DivisionScores, ScoreReport, score
from gosales.scoring.spread import CERTAIN, LIKELY, Outlook

__all__ = [
    "CERTAIN",
    "LIKELY",
    "DivisionScores",
    "Outlook",
    "ScoreReport",
    "percentile",
    "score",
]
