"""Training one division: heads, protocol, final fit.

Knows nothing of files: a frame goes in, ``Trained`` or ``Unmodelled`` comes out. The same
frame, settings and seed give the same result on any machine load.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gosales.models.baselines import rule_probability
from gosales.models.candidates import grid
from gosales.models.classifier import (
    JOINT,
    NEVER_OWNED,
    OWNED,
    DivisionClassifier,
    Head,
    cohort_rows,
)
from gosales.models.figures import Judged
from gosales.models.frame import OWNED_SOURCE, Floats, Frame, Ints
from gosales.models.protocol import Fold, Plan, plan
from gosales.models.selection import Degenerate, FittedHead, Trainer
from gosales.settings import ModelingSettings

__all__ = ["Trained", "Unmodelled", "train_division"]


@dataclass(frozen=True)
class Trained:
    """The shipped classifier, how each head came about, and the rows that judge it."""

    classifier: DivisionClassifier
    heads: tuple[FittedHead, ...]
    plan: Plan
    judged: Judged


class Unmodelled(Exception):
    """The division cannot be modelled; the message says why, for a person to read."""


def train_division(
    frame: Frame,
    models: Sequence[str],
    calibration: Sequence[str],
    settings: ModelingSettings,
    seed: int,
) -> Trained:
    """Raises Unmodelled when no honest figure can be given."""
    positives = int(frame.label.sum())
    if positives < settings.min_positives:
        raise Unmodelled(
            f"{positives} positive labels over {len(frame.cutoffs)} cutoffs, fewer than "
            f"modeling.min_positives = {settings.min_positives}"
        )
    if positives == len(frame.label):
        raise Unmodelled("every customer bought: there is nothing to tell apart")
    seed = zlib.crc32(f"{seed}:{frame.division}".encode())
    draw = np.random.default_rng(seed).random(frame.n_customers)
    cohorts, way = _structure(frame, draw, settings)
    trainer = Trainer(frame, grid(models, settings), calibration, settings, seed % 2**31, draw)
    try:
        judged = _judge(trainer, way, cohorts)
        fitted = tuple(trainer.fit_head(cohort, rows) for cohort, rows in cohorts.items())
    except Degenerate:
        raise Unmodelled(
            "degenerate classifier: every candidate gives all customers the same score"
        ) from None
    return Trained(_classifier(frame, fitted), fitted, way, judged)


def _structure(
    frame: Frame, draw: Floats, settings: ModelingSettings
) -> tuple[dict[str, Ints], Plan]:
    """Two heads where both have enough positives, else a joint one; and how to judge them.

    A joint head that can be judged out of time is preferred to two that cannot.
    """
    apart = {
        cohort: np.flatnonzero(cohort_rows(cohort, frame.owned)) for cohort in (OWNED, NEVER_OWNED)
    }
    enough = all(
        settings.min_positives <= frame.label[rows].sum() < len(rows) for rows in apart.values()
    )
    joint = {JOINT: np.arange(len(frame.label))}
    choices = [apart, joint] if enough else [joint]
    plans = [plan(frame, list(choice.values()), draw, settings.folds) for choice in choices]
    for kinds in (("nested", "temporal"), ("customer",)):
        for choice, way in zip(choices, plans, strict=True):
            if way is not None and way.kind in kinds:
                return choice, way
    raise Unmodelled(
        f"{int(frame.label.sum())} positive labels are too few or too unevenly spread over "
        "cutoffs and customers to fit a model and judge it on rows that it has not seen"
    )


def _judge(trainer: Trainer, way: Plan, cohorts: dict[str, Ints]) -> Judged:
    """Run the whole procedure on each fold's training rows and score its test rows."""
    scored = [_judge_fold(trainer, fold, cohorts) for fold in way.folds]
    rows = np.concatenate([fold.test for fold in way.folds])
    columns = [np.concatenate(column) for column in zip(*scored, strict=True)]
    order = np.argsort(rows, kind="stable")
    p, rule, prior_all, prior_cohort = (column[order] for column in columns)
    return Judged(rows[order], p, rule, prior_all, prior_cohort)


def _judge_fold(
    trainer: Trainer, fold: Fold, cohorts: dict[str, Ints]
) -> tuple[Floats, Floats, Floats, Floats]:
    """(model, rule, prevalence of all, prevalence of the own cohort) for the fold's test rows."""
    frame = trainer.frame
    n = len(fold.test)
    p, rule, prior_cohort = np.empty(n), np.empty(n), np.empty(n)
    for cohort, members in cohorts.items():
        train = np.intersect1d(fold.train, members, assume_unique=True)
        mine = np.isin(fold.test, members, assume_unique=True)
        test = fold.test[mine]
        if not len(test):
            continue
        p[mine] = trainer.fit_head(cohort, train).head.probability(frame.x[test])
        rule[mine] = rule_probability(frame, train, test)
    owned, train_owned = frame.owned[fold.test], frame.owned[fold.train]
    label = frame.label[fold.train]
    for side in (True, False):
        same = label[train_owned == side]
        prior_cohort[owned == side] = same.mean() if len(same) else label.mean()
    return p, rule, np.full(n, label.mean()), prior_cohort


def _classifier(frame: Frame, fitted: Sequence[FittedHead]) -> DivisionClassifier:
    """The heads on one list of features: those that any head uses, and the ownership column."""
    source = frame.names.index(OWNED_SOURCE)
    used = sorted({source, *(column for one in fitted for column in one.head.columns)})
    place = {column: number for number, column in enumerate(used)}
    heads = [
        Head(
            one.head.cohort,
            tuple(place[column] for column in one.head.columns),
            one.head.base,
            one.head.calibrator,
            one.head.deal_value,
        )
        for one in fitted
    ]
    names = [frame.names[column] for column in used]
    classifier = DivisionClassifier(frame.division, names, place[source], heads)
    return DivisionClassifier.from_json(classifier.to_json())
