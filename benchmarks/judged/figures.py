"""Means over divisions with intervals over customers, and differences drawn in pairs.

A cell is a cohort of a division at a test cutoff. Everybody's figures in all cells are drawn
with the same customers, so that two of them can be compared draw by draw.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gosales.models.evaluate import Ranking, customer_draws, interval, measure

__all__ = ["FIGURES", "Cell", "Estimate", "Judge", "difference", "ratio"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIGURES = ("auc", "lift_at_10", "brier_skill", "calibration_mae")
FEWEST = 8


@dataclass(frozen=True)
class Cell:
    """Rows that are judged together; ``customer`` says which draw counts for each."""

    division: str
    cohort: str
    test: str
    rows: Ints
    customer: Ints
    label: Floats
    gp: Floats
    prior: float

    @property
    def positives(self) -> int:
        return int(self.label.sum())

    @property
    def counts(self) -> bool:
        """Whether there are buyers and others enough to judge by."""
        return FEWEST <= self.positives <= len(self.label) - FEWEST


@dataclass(frozen=True)
class Estimate:
    """A figure and its bootstrap draws."""

    name: str
    point: float
    draws: Floats

    @property
    def interval(self) -> list[float | None]:
        return interval(self.name, self.point, self.draws)

    @classmethod
    def mean(cls, name: str, cells: list[Floats]) -> Estimate:
        """Of cells' values (the figure first, then its draws); a cell may lack a draw."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a draw that all cells lack
            values = np.nanmean(np.array(cells), axis=0)
        return cls(name, float(values[0]), values[1:])


class Judge:
    """Measures probabilities with one set of customer draws."""

    def __init__(self, customers: int, draws: int, seed: int) -> None:
        self.weights = np.concatenate(list(customer_draws(customers, draws, seed)))

    def measure(self, cell: Cell, p: Floats) -> dict[str, Floats]:
        """Each of FIGURES as an array: the figure, then its draws. ``p`` has a row a cell row."""
        ranking = Ranking.of(p, cell.label, cell.gp, cell.prior)
        drawn = measure(ranking, self.weights[:, cell.customer])
        point = measure(ranking)
        return {name: np.concatenate([point[name], drawn[name]]) for name in FIGURES}


def difference(ours: Estimate, theirs: Estimate) -> Estimate:
    return Estimate(ours.name, ours.point - theirs.point, ours.draws - theirs.draws)


def ratio(ours: Estimate, theirs: Estimate) -> Estimate:
    return Estimate(ours.name, ours.point / theirs.point, ours.draws / theirs.draws)
