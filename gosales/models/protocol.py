"""Which rows may judge which model: the temporal protocol.

A model judged at cutoff c is fitted on cutoffs whose label window had closed by c (and
``embargo_days`` before it). How far the log allows that decides how a division is reported,
best first:

``nested``    the model judged at c was itself selected and calibrated on earlier cutoffs
``temporal``  it was selected by customer-grouped folds inside one earlier window
``customer``  no earlier window has closed: customer-grouped folds throughout
``borrowed``  its own rows can judge nothing: there are no figures of its own, and the model
              is the one pooled over divisions, as the other divisions' rows judged it

In the first three, the rows that a published figure is made of took no part in fitting, selecting
or calibrating the model that scored them. Training takes every cutoff it is given; judging is
done at cutoffs half a window apart, newest first, because windows that overlap more tell
little more and cost as much.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gosales.models.frame import Frame, Ints
from gosales.models.slices import Condition, Slice, closed_by, fold_of
from gosales.months import add_months, part_of_window

__all__ = [
    "MIN_FOLD_POSITIVES",
    "Fold",
    "Plan",
    "Rules",
    "calibration_fold",
    "inner_folds",
    "judged_cutoffs",
    "plan",
    "temporal_folds",
]

MIN_FOLD_POSITIVES = 8
INNER_FOLDS = 3
OUTER_SALT, INNER_SALT = 0, 5
MOST_JUDGED = 5
DESCRIPTION = {
    "nested": "out of time: fitted, selected and calibrated on label windows closed by the "
    "cutoff that is reported",
    "temporal": "out of time: fitted on label windows closed by the cutoff that is reported; "
    "selected and calibrated by customer-grouped cross-validation inside them",
    "customer": "customer-grouped cross-validation: no earlier label window had closed by any "
    "training cutoff",
    "borrowed": "not of this division: its closed label windows hold too few buyers to judge "
    "anything, so its model is borrowed from the other divisions and was judged on their rows",
}


@dataclass(frozen=True)
class Fold:
    """What to fit on, and what to judge."""

    train: Slice
    test: Slice


@dataclass(frozen=True)
class Plan:
    """The protocol's kind and the folds whose test rows make the published figures."""

    kind: str
    folds: tuple[Fold, ...]

    @property
    def description(self) -> str:
        return DESCRIPTION[self.kind]

    @property
    def in_time(self) -> bool:
        """Whether the judging models knew only what had happened by then."""
        return self.kind in ("nested", "temporal")


@dataclass(frozen=True)
class Rules:
    """What a division's folds depend on besides its rows.

    ``lent`` tells whether other divisions' buyers can be learnt from, where there are others:
    they stand in where this one has too few. ``judged`` tells whether other divisions' rows
    can judge what was learnt so.
    """

    window_months: int
    embargo_days: int
    folds: int
    seed: int
    lent: Callable[[str, Slice], bool] | None = None
    judged: Callable[[str, Slice], bool] | None = None

    @property
    def lends(self) -> bool:
        return self.lent is not None

    def closed(self, cutoffs: Sequence[dt.date], day: dt.date) -> list[dt.date]:
        return closed_by(cutoffs, day - dt.timedelta(days=self.embargo_days), self.window_months)


def judged_cutoffs(cutoffs: Sequence[dt.date], window_months: int) -> list[dt.date]:
    """The newest cutoff and those before it, at least half a window apart."""
    # A divisor of the window: then what is judged inside an earlier part is judged outside too.
    step = part_of_window(window_months)
    found: list[dt.date] = []
    for day in sorted(cutoffs, reverse=True):
        # A month end less some months can be a later day of its month than the cutoff's.
        if not found or day <= add_months(found[-1], -step) or _months(day, found[-1]) >= step:
            found.append(day)
    return sorted(found[:MOST_JUDGED])


def _months(earlier: dt.date, later: dt.date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def temporal_folds(within: Slice, rules: Rules) -> list[Fold]:
    """One fold a judged cutoff that has closed cutoffs before it."""
    folds = []
    for day in judged_cutoffs(within.cutoffs, rules.window_months):
        earlier = rules.closed(within.cutoffs, day)
        if earlier:
            folds.append(Fold(within.at(earlier), within.at([day])))
    return folds


def customer_folds(within: Slice, salt: int, folds: int) -> list[Fold]:
    """Each customer is judged once, by a model that saw none of that customer's rows."""
    return [
        Fold(
            within.where(Condition(salt, folds, number, False)),
            within.where(Condition(salt, folds, number, True)),
        )
        for number in range(folds)
    ]


def inner_folds(frame: Frame, cohort: str, within: Slice, rules: Rules) -> tuple[str, list[Fold]]:
    """How to select and calibrate within these rows: ``temporal`` or ``customer`` folds.

    The list is empty when the rows are too few for either.
    """

    def enough(fold: Fold) -> bool:
        return _usable(frame, cohort, fold, rules)

    temporal = [fold for fold in temporal_folds(within, rules) if enough(fold)]
    tests = [frame.label[fold.test.rows(frame, cohort)].sum() for fold in temporal]
    if sum(tests) >= MIN_FOLD_POSITIVES:
        return "temporal", temporal
    for number in sorted({INNER_FOLDS, 2}, reverse=True):
        grouped = customer_folds(within, rules.seed + INNER_SALT, number)
        if all(map(enough, grouped)):
            return "customer", grouped
    return "customer", []


def _usable(frame: Frame, cohort: str, fold: Fold, rules: Rules) -> bool:
    """Whether a model can be fitted on the fold and judged on it."""
    train = frame.label[fold.train.rows(frame, cohort)]
    test = frame.label[fold.test.rows(frame, cohort)]
    if rules.lent is None:
        fits = MIN_FOLD_POSITIVES <= train.sum() < len(train)
    else:
        fits = len(train) > 0 and rules.lent(cohort, fold.train)
    return bool(fits and 0 < test.sum() < len(test))


def plan(frame: Frame, cohorts: Sequence[str], rules: Rules) -> Plan | None:
    """The best protocol that every head can follow, or None.

    In a fold of the plan each head has enough to be fitted, selected and calibrated, if need
    be on the rows of other divisions.
    """
    whole = Slice(frame.cutoffs)

    def kind(fold: Fold) -> str:
        return _inner_kind(frame, cohorts, fold, rules)

    temporal = [(fold, kind(fold)) for fold in temporal_folds(whole, rules)]
    nested = tuple(fold for fold, found in temporal if found == "temporal")
    if nested:
        return Plan("nested", nested)
    possible = tuple(fold for fold, found in temporal if found)
    if possible:
        return Plan("temporal", possible)
    grouped = customer_folds(whole, rules.seed + OUTER_SALT, rules.folds)
    if all(map(kind, grouped)):
        return Plan("customer", tuple(grouped))
    return None


def _inner_kind(frame: Frame, cohorts: Sequence[str], fold: Fold, rules: Rules) -> str:
    """How every head can be selected inside the fold's training rows; empty if one cannot."""
    label = frame.label[fold.test.rows(frame)]
    if not 0 < label.sum() < len(label):
        return ""
    kinds = set()
    for cohort in cohorts:
        kind, folds = inner_folds(frame, cohort, fold.train, rules)
        if not folds:
            if rules.judged is None or not rules.judged(cohort, fold.train):
                return ""
            kind = "temporal" if temporal_folds(fold.train, rules) else "customer"
        kinds.add(kind)
    return "customer" if "customer" in kinds else "temporal"


def calibration_fold(frame: Frame, rows: Ints, rules: Rules) -> Ints:
    """A customer-grouped fold number a row, for choosing among calibrations."""
    return fold_of(frame.draw[rows], rules.seed + INNER_SALT, rules.folds)
