"""The scores that a list is made of, and what their models had seen."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from gosales.artifacts import require
from gosales.checksum import parquet_files
from gosales.errors import NothingToDo, StaleArtifact
from gosales.run import Run
from gosales.whitespace.backtest import backtest_forecasts, backtest_scores

__all__ = ["Scored", "scores_for"]


@dataclass(frozen=True)
class Scored:
    """Scores of one cutoff (``path``: as icp_scores.parquet; ``forecasts``: of earlier ones).

    ``hindsight``: divisions whose model was trained on windows that end after the cutoff.
    ``current``: whether these are the workspace's own scores, not a look back.
    """

    path: Path
    forecasts: Path
    cutoff: dt.date
    window_months: int
    hindsight: tuple[str, ...]
    current: bool


def scores_for(run: Run, cutoff: dt.date | None) -> Scored:
    """The workspace's scores, or, for another cutoff, those of models that could be had then.

    Raises MissingArtifact without scores, StaleArtifact when they are of another window length,
    NothingToDo when no model can be trained on windows that had closed by the cutoff.
    """
    place = run.workspace
    scores, about = place.output("icp_scores.parquet"), place.output("scoring.json")
    if cutoff is None or (scores.exists() and _cutoff_of(scores) == cutoff):
        scores = require(place, scores, "gosales score")
        told = json.loads(require(place, about, "gosales score").read_bytes())
        day, window = dt.date.fromisoformat(told["cutoff"]), int(told["window_months"])
        asked = run.settings.labels.window_months
        if window != asked:
            raise StaleArtifact(
                f"The scores are of models for a window of {window} months, not of {asked}.",
                f"Train and score for it: gosales train --window-months {asked}",
            )
        met = require(place, place.output("forecasts.parquet"), "gosales score")
        return Scored(scores, met, day, window, tuple(told["hindsight"]), True)
    try:
        path = backtest_scores(run, cutoff)
    except NothingToDo as error:
        raise NothingToDo(
            f"No model could be had at {cutoff}: {error.message}",
            f"In hindsight, without figures: gosales score --cutoff {cutoff}",
        ) from None
    window = run.settings.labels.window_months
    return Scored(path, backtest_forecasts(run, cutoff), cutoff, window, (), False)


def _cutoff_of(path: Path) -> dt.date | None:
    for file in parquet_files(path):
        column = pq.read_table(file, columns=["cutoff"]).column("cutoff")
        if len(column):
            day = column[0].as_py()
            return day.date() if isinstance(day, dt.datetime) else day
    return None
