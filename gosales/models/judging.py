"""Scoring the rows of a division's published figures: the model's scores and the baselines'.

On each fold the whole procedure (select, calibrate, refit) runs on the training slice alone.
Each baseline gets the same rows and a fitted line, so that its probabilities are as good as it
allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from gosales.models.baselines import expected_rate, recency_frequency
from gosales.models.calibrate import Evidence, fit_calibrator
from gosales.models.figures import Judged
from gosales.models.frame import Bools, Floats, Frame, Ints
from gosales.models.protocol import Fold, Plan
from gosales.models.selection import Trainer
from gosales.models.slices import NEVER_OWNED, OWNED

__all__ = ["judge"]

PRIORS = ("prior_all", "prior_cohort", "worth")
RULES = {"recency_frequency": recency_frequency, "expected_rate": expected_rate}


def judge(trainer: Trainer, way: Plan, cohorts: Sequence[str]) -> Judged:
    """Every test row of the plan's folds once, with all its scores."""
    frame = trainer.frame
    if not way.folds:
        return Judged.nothing()
    scored = [_fold(trainer, fold, cohorts) for fold in way.folds]
    rows = np.concatenate([fold.test.rows(frame) for fold in way.folds])
    order = np.argsort(rows, kind="stable")
    scores = {name: np.concatenate([one[name] for one in scored])[order] for name in scored[0]}
    priors = {name: scores.pop(name) for name in PRIORS}
    return Judged(rows[order], scores, **priors)


def _fold(trainer: Trainer, fold: Fold, cohorts: Sequence[str]) -> dict[str, Floats]:
    """The scores of the fold's test rows, and the prevalences known before them."""
    frame = trainer.frame
    rows, known = fold.test.rows(frame), fold.train.rows(frame)
    overall = _prevalence(trainer, fold, known)
    lends = trainer.rules.lends
    names = ("model", *RULES, *(("pooled",) if lends else ()), *PRIORS)
    found = {name: np.full(len(rows), overall) for name in names}
    for cohort in cohorts:
        mine = np.isin(rows, fold.test.rows(frame, cohort), assume_unique=True)
        if not mine.any():
            continue
        x, day = frame.x[rows[mine]], _day(frame, rows[mine])
        head = trainer.fit_head(cohort, fold.train, day).head
        found["model"][mine] = head.probability(x)
        found["worth"][mine] = head.value.worth(x)
        if lends:
            found["pooled"][mine] = trainer.pooled(cohort, fold.train, day, x)
    for cohort, here in ((OWNED, frame.owned[rows]), (NEVER_OWNED, ~frame.owned[rows])):
        train = fold.train.rows(frame, cohort)
        if not here.any():
            continue
        found["prior_cohort"][here] = frame.label[train].mean() if len(train) else overall
        for name in RULES:
            found[name][here] = _ruled(name, frame, train, rows, here)
    return found


def _day(frame: Frame, rows: Ints) -> dt.date:
    return frame.cutoffs[int(frame.cutoff[rows].max())]


def _prevalence(trainer: Trainer, fold: Fold, known: Ints) -> float:
    """Of the division's rows that were known; of all divisions' where it has none."""
    if len(known):
        return float(trainer.frame.label[known].mean())
    frames = trainer.fitter.pool.frames
    return float(np.concatenate([one.label[fold.train.rows(one)] for one in frames]).mean())


def _ruled(name: str, frame: Frame, train: Ints, rows: Ints, here: Bools) -> Floats:
    """A rule's probabilities on ``rows[here]``, its line and level fitted on ``train``."""
    test = rows[here]
    score = RULES[name](frame.x[np.concatenate([train, test])], frame.names)
    fold = np.zeros(len(train), dtype=np.int64)
    evidence = Evidence(score[: len(train)], frame.label[train], frame.day[train], fold)
    line = fit_calibrator("platt", evidence, _day(frame, test), frame.window_months)
    return line.probability(score[len(train) :])
