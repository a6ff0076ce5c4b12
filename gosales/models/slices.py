"""Parts of the labelled rows, named so that they mean the same in every division.

A slice is some cutoffs and, where customers are held apart, the folds they must or must not
be in. A customer's fold is a hash of its id: it is the same in every division, at every cutoff
and whatever other customers there are, so a model pooled over divisions has not seen the
customers that it is judged on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gosales.models.frame import Bools, Floats, Frame, Ints
from gosales.months import add_months

__all__ = [
    "JOINT",
    "NEVER_OWNED",
    "OWNED",
    "Condition",
    "Slice",
    "closed_by",
    "cohort_rows",
    "fold_of",
]

JOINT, OWNED, NEVER_OWNED = "joint", "owned", "never_owned"


def cohort_rows(cohort: str, owned: Bools) -> Bools:
    """The rows that a head answers for."""
    if cohort == JOINT:
        return np.ones(len(owned), dtype=bool)
    return owned if cohort == OWNED else ~owned


def closed_by(cutoffs: Sequence[dt.date], day: dt.date, window_months: int) -> list[dt.date]:
    """The cutoffs whose label window had closed by ``day``."""
    return [cutoff for cutoff in cutoffs if add_months(cutoff, window_months) <= day]


@dataclass(frozen=True)
class Condition:
    """Customers of fold ``number`` (``inside``), or of all the other folds."""

    salt: int
    folds: int
    number: int
    inside: bool

    def holds(self, draw: Floats) -> Bools:
        there: Bools = fold_of(draw, self.salt, self.folds) == self.number
        return there if self.inside else ~there


def fold_of(draw: Floats, salt: int, folds: int) -> Ints:
    """The fold of each row; another ``salt`` cuts across the folds of this one."""
    number: Ints = np.floor(np.mod(draw * (7919.0 + 2.0 * salt), 1.0) * folds).astype(np.int64)
    return number


@dataclass(frozen=True)
class Slice:
    """Rows at these cutoffs, of the customers that meet every condition."""

    cutoffs: tuple[dt.date, ...]
    conditions: tuple[Condition, ...] = ()

    def rows(self, frame: Frame, cohort: str = JOINT) -> Ints:
        """The slice's row numbers in a frame, among the rows of a cohort."""
        places = [place for place, day in enumerate(frame.cutoffs) if day in self.cutoffs]
        mask = np.isin(frame.cutoff, places) & cohort_rows(cohort, frame.owned)
        for condition in self.conditions:
            mask &= condition.holds(frame.draw)
        return np.flatnonzero(mask)

    def at(self, cutoffs: Sequence[dt.date]) -> Slice:
        """The same customers at other cutoffs."""
        return replace(self, cutoffs=tuple(cutoffs))

    def where(self, condition: Condition) -> Slice:
        return replace(self, conditions=(*self.conditions, condition))

    def key(self) -> str:
        """A name for caches and seeds, the same in every run."""
        return f"{[str(day) for day in self.cutoffs]}{self.conditions}"
