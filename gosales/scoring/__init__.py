"""Scores, grades, worth and reasons for every customer and division."""

from __future__ import annotations

from gosales.scoring.grades import percentile
from gosales.scoring.score import DivisionScores, ScoreReport, score

__all__ = ["DivisionScores", "ScoreReport", "percentile", "score"]
