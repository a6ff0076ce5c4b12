"""Which rows may judge which model: the temporal protocol.

A model judged at cutoff c is fitted on cutoffs whose label window had closed by c. How far
the log allows that decides how a division is reported, best first:

``nested``    the model judged at c was itself selected and calibrated on earlier cutoffs
``temporal``  it was selected by customer-grouped folds inside one earlier window
``customer``  no earlier window has closed: customer-grouped folds throughout

In all three, the rows that a published figure is made of took no part in fitting, selecting
or calibrating the model that scored them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gosales.models.calibrate import folds_of
from gosales.models.frame import Floats, Frame, Ints
from gosales.months import add_months

__all__ = ["MIN_FOLD_POSITIVES", "Fold", "Plan", "closed_by", "inner_folds", "plan", "usable"]

MIN_FOLD_POSITIVES = 8
INNER_FOLDS = 3
DESCRIPTION = {
    "nested": "out of time: fitted, selected and calibrated on label windows closed by the "
    "cutoff that is reported",
    "temporal": "out of time: fitted on label windows closed by the cutoff that is reported; "
    "selected and calibrated by customer-grouped cross-validation inside them",
    "customer": "customer-grouped cross-validation: no earlier label window had closed by any "
    "training cutoff",
}


@dataclass(frozen=True)
class Fold:
    """Row numbers of a frame to fit on, and to judge."""

    train: Ints
    test: Ints


@dataclass(frozen=True)
class Plan:
    """The protocol's kind and the folds whose test rows make the published figures."""

    kind: str
    folds: tuple[Fold, ...]

    @property
    def description(self) -> str:
        return DESCRIPTION[self.kind]


def closed_by(cutoffs: Sequence[dt.date], day: dt.date, window_months: int) -> list[dt.date]:
    """The cutoffs whose label window had closed by ``day``."""
    return [cutoff for cutoff in cutoffs if add_months(cutoff, window_months) <= day]


def usable(label: Floats, fold: Fold) -> bool:
    """Whether a model can be fitted on the fold and judged on it."""
    train, test = label[fold.train], label[fold.test]
    enough = MIN_FOLD_POSITIVES <= train.sum() < len(train)
    return bool(enough and 0 < test.sum() < len(test))


def temporal_folds(frame: Frame, rows: Ints) -> list[Fold]:
    """One fold a cutoff that has closed cutoffs before it, among these rows."""
    present = [frame.cutoffs[place] for place in np.unique(frame.cutoff[rows])]
    folds = []
    for cutoff in present:
        earlier = closed_by(present, cutoff, frame.window_months)
        if earlier:
            places = [frame.cutoffs.index(day) for day in earlier]
            train = rows[np.isin(frame.cutoff[rows], places)]
            folds.append(Fold(train, rows[frame.cutoff[rows] == frame.cutoffs.index(cutoff)]))
    return folds


def customer_folds(frame: Frame, rows: Ints, draw: Floats, folds: int) -> list[Fold]:
    """Each customer is judged once, by a model that saw none of that customer's rows."""
    number = folds_of(frame.code[rows], draw, folds)
    return [Fold(rows[number != one], rows[number == one]) for one in np.unique(number)]


def inner_folds(frame: Frame, rows: Ints, draw: Floats, folds: int) -> tuple[str, list[Fold]]:
    """How to select and calibrate within these rows: ``temporal`` or ``customer`` folds.

    The list is empty when the rows are too few for either.
    """
    temporal = [fold for fold in temporal_folds(frame, rows) if usable(frame.label, fold)]
    if temporal:
        return "temporal", temporal
    for number in sorted({folds, 2}, reverse=True):
        grouped = customer_folds(frame, rows, draw, number)
        if len(grouped) > 1 and all(usable(frame.label, fold) for fold in grouped):
            return "customer", grouped
    return "customer", []


def plan(frame: Frame, heads: Sequence[Ints], draw: Floats, folds: int) -> Plan | None:
    """The best protocol that every head (given by its rows) can follow, or None.

    In a fold of the plan each head has enough to be fitted, selected and calibrated.
    """
    rows = np.arange(len(frame.label))
    temporal = [
        (fold, _inner_kind(frame, heads, draw, fold)) for fold in temporal_folds(frame, rows)
    ]
    nested = tuple(fold for fold, kind in temporal if kind == "temporal")
    if nested:
        return Plan("nested", nested)
    possible = tuple(fold for fold, kind in temporal if kind)
    if possible:
        return Plan("temporal", possible)
    grouped = customer_folds(frame, rows, draw, folds)
    if len(grouped) > 1 and all(_inner_kind(frame, heads, draw, fold) for fold in grouped):
        return Plan("customer", tuple(grouped))
    return None


def _inner_kind(frame: Frame, heads: Sequence[Ints], draw: Floats, fold: Fold) -> str:
    """How every head can be selected inside the fold's training rows; empty if one cannot."""
    label = frame.label[fold.test]
    if not 0 < label.sum() < len(label):
        return ""
    kinds = set()
    for head in heads:
        train = np.intersect1d(fold.train, head, assume_unique=True)
        kind, folds = inner_folds(frame, train, inner_of(draw), INNER_FOLDS)
        if not folds:
            return ""
        kinds.add(kind)
    return "customer" if "customer" in kinds else "temporal"


def inner_of(draw: Floats) -> Floats:
    """A second number in [0, 1) a customer: inner folds cut across the outer ones."""
    second: Floats = np.mod(draw * 7919.0, 1.0)
    return second
