"""Training one division: heads, protocol, final fit.

Knows nothing of files: frames go in, ``Trained`` or ``Unmodelled`` comes out. The same frames,
settings and seed give the same result on any machine load.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gosales.models.candidates import grid
from gosales.models.classifier import DivisionClassifier, Head
from gosales.models.figures import Judged
from gosales.models.fitting import Degenerate, Fitter
from gosales.models.frame import OWNED_SOURCE, Frame
from gosales.models.judging import judge
from gosales.models.pool import Pool
from gosales.models.protocol import MIN_FOLD_POSITIVES, Plan, Rules, inner_folds, plan
from gosales.models.sample import seed_of
from gosales.models.selection import FittedHead, Trainer
from gosales.models.slices import JOINT, NEVER_OWNED, OWNED, Slice, cohort_rows
from gosales.settings import ModelingSettings

__all__ = ["Trained", "Unmodelled", "division_rules", "train_division"]


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
    pool: Pool,
    models: Sequence[str],
    calibration: Sequence[str],
    target: dt.date,
) -> Trained:
    """``target`` is the cutoff that the shipped model will score.

    Raises Unmodelled when no honest figure can be given.
    """
    settings = pool.settings
    _refuse(frame, pool)
    rules = division_rules(frame, pool)
    cohorts, way = _structure(frame, rules, settings)
    candidates = grid(models, settings, pool.lends)
    trainer = Trainer(Fitter.of(frame, pool), candidates, calibration, settings, rules)
    whole = Slice(frame.cutoffs)
    try:
        judged = judge(trainer, way, cohorts)
        fitted = tuple(trainer.fit_head(cohort, whole, target) for cohort in cohorts)
    except Degenerate:
        raise Unmodelled(
            "degenerate classifier: every candidate gives all customers the same score"
        ) from None
    return Trained(_classifier(frame, fitted), fitted, way, judged)


def _refuse(frame: Frame, pool: Pool) -> None:
    """Labels that nothing can be learnt from, own or borrowed.

    A division without any row was launched after the last cutoff whose window has closed: it
    borrows. One whose windows closed without a buyer is not sold any more.
    """
    positives, rows = int(frame.label.sum()), len(frame.label)
    enough = pool.settings.min_positives
    needed = min(rows, 1) if pool.lends else enough
    if positives < needed:
        raise Unmodelled(
            f"{positives} positive labels over {len(frame.cutoffs)} cutoffs, "
            + (
                "so nothing says that anybody will buy again"
                if pool.lends
                else f"fewer than modeling.min_positives = {enough}"
            )
        )
    if rows and positives == rows:
        raise Unmodelled("every customer bought: there is nothing to tell apart")


def division_rules(frame: Frame, pool: Pool) -> Rules:
    settings = pool.settings
    seed = seed_of(pool.seed, "folds") % 1000
    base = Rules(frame.window_months, settings.embargo_days, settings.folds, seed)
    if not pool.lends:
        return base
    lent = replace(base, lent=pool.can_lend)

    def judged(cohort: str, within: Slice) -> bool:
        return pool.once(
            ("judged", cohort, within),
            lambda: any(inner_folds(one, cohort, within, lent)[1] for one in pool.frames),
        )

    return replace(lent, judged=judged)


def _structure(
    frame: Frame, rules: Rules, settings: ModelingSettings
) -> tuple[tuple[str, ...], Plan]:
    """Two heads where both can be fitted and judged, else a joint one; and how to judge them.

    A joint head that can be judged out of time is preferred to two that cannot. Where the
    division's own rows can judge nothing, both are borrowed as the other divisions judged them.
    """
    needed = MIN_FOLD_POSITIVES if rules.lends else settings.min_positives
    apart = (OWNED, NEVER_OWNED)
    labels = [frame.label[cohort_rows(cohort, frame.owned)] for cohort in apart]
    enough = all(needed <= label.sum() < len(label) for label in labels)
    choices = [apart, (JOINT,)] if enough else [(JOINT,)]
    found: dict[tuple[str, ...], Plan | None] = {}
    for kinds in (("nested", "temporal"), ("customer",)):
        for choice in choices:
            if choice not in found:
                found[choice] = plan(frame, choice, rules)
            way = found[choice]
            if way is not None and way.kind in kinds:
                return choice, way
    whole = Slice(frame.cutoffs)
    if rules.judged and all(rules.judged(cohort, whole) for cohort in apart):
        return apart, Plan("borrowed", ())
    raise Unmodelled(
        f"{int(frame.label.sum())} positive labels are too few or too unevenly spread over "
        "cutoffs and customers to fit a model and judge it on rows that it has not seen"
    )


def _classifier(frame: Frame, fitted: Sequence[FittedHead]) -> DivisionClassifier:
    """The heads on one list of features: those that any head uses, and the ownership column."""
    source = frame.names.index(OWNED_SOURCE)
    used = sorted(
        {source}.union(*(one.head.columns for one in fitted))
        | {column for one in fitted for column in one.head.value.columns}
    )
    place = {column: number for number, column in enumerate(used)}
    heads = [
        Head(
            one.head.cohort,
            tuple(place[column] for column in one.head.columns),
            one.head.base,
            one.head.calibrator,
            replace(
                one.head.value, columns=tuple(place[column] for column in one.head.value.columns)
            ),
        )
        for one in fitted
    ]
    names = [frame.names[column] for column in used]
    classifier = DivisionClassifier(frame.division, names, place[source], heads)
    return DivisionClassifier.from_json(classifier.to_json())
