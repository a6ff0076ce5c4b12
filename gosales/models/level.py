"""The level of a division's probabilities, apart from its ranking.

The share of buyers moves from window to window with season and launch. ``fit_line`` takes the
log-odds of rows at several cutoffs and finds one slope and a level a cutoff, each shrunk
towards their mean (a MAP estimate: normal priors); ``Line.forecast`` says what the level will
be at a cutoff to come: a mean of the newest one and that of the same window a year before, at
the weights that would have foretold the levels so far.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from gosales.models.frame import Floats, Ints
from gosales.models.lately import NOTHING, Moves
from gosales.models.slices import closed_by
from gosales.months import add_months

__all__ = ["Line", "fit_line", "sigmoid"]

# A flatter line than this would turn the ranking to noise, or upside down.
MIN_SLOPE = 0.05
# Spreads of the priors: of the slope around 1, of a cutoff's level around the mean level.
SLOPE_SPREAD, LEVEL_SPREAD = 0.2, 0.5
# The next level: so much of the last one, the rest of the same window a year before, until the
# log tells more of it: a squared difference of that much between the two weighs as much as this.
LAST, LAST_PRIOR = 0.7, 0.5
YEAR_TOLERANCE_DAYS = 46
# So much of what the last part of the newest window tells is believed to last.
LATELY = 0.5


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    result: Floats = np.where(z >= 0, 1.0, small) / (1.0 + small)
    return result


@dataclass(frozen=True)
class Line:
    """``slope * log-odds + level of the cutoff``; ``days`` are ordinal and ascending."""

    slope: float
    days: Ints
    levels: Floats

    def at(self, margin: Floats, day: Ints) -> Floats:
        """Log-odds at each row's own cutoff; one that was not fitted takes the mean level."""
        place = np.searchsorted(self.days, day).clip(max=len(self.days) - 1)
        known = self.days[place] == day
        level = np.where(known, self.levels[place], self.levels.mean())
        line: Floats = self.slope * margin + level
        return line

    def forecast(self, target: dt.date, window_months: int, moves: Moves = NOTHING) -> float:
        """The level at ``target``, which comes after all that were fitted.

        Of the newest alone where there is none of a year before, or where a window of a year
        or more has its season in it. ``moves``: what was seen lately of the target's cohort.
        """
        newest = dt.date.fromordinal(int(self.days[-1]))
        last, before = float(self.levels[-1]), self._year_before(target)
        if add_months(newest, window_months) <= target:
            last += LATELY * moves.last
        if window_months >= 12 or before is None or before == len(self.days) - 1:
            return last + moves.launch
        weight = self.last_weight(window_months)
        season = float(self.levels[before]) + moves.year
        return weight * last + (1 - weight) * season + moves.launch

    def last_weight(self, window_months: int) -> float:
        """Of the newest level in the forecast: least squares over the levels that were fitted,
        each foretold from those whose window had closed by it, shrunk towards ``LAST``.
        """
        days = [dt.date.fromordinal(int(day)) for day in self.days]
        fit, size = LAST * LAST_PRIOR, LAST_PRIOR
        for day, level in zip(days, self.levels, strict=True):
            closed, before = closed_by(days, day, window_months), self._year_before(day)
            if not closed or before is None or days[before] not in closed[:-1]:
                continue
            apart = self.levels[days.index(closed[-1])] - self.levels[before]
            fit += (level - self.levels[before]) * apart
            size += apart**2
        return float(np.clip(fit / size, 0.0, 1.0))

    def _year_before(self, day: dt.date) -> int | None:
        """The place of the cutoff a year earlier, or close to it."""
        near = np.abs(self.days - add_months(day, -12).toordinal())
        place = int(np.argmin(near))
        return place if near[place] <= YEAR_TOLERANCE_DAYS else None


def fit_line(margin: Floats, label: Floats, day: Ints, free_slope: bool) -> Line:
    """Newton's method on (slope, mean level, each cutoff's deviation from it)."""
    days, place = np.unique(day, return_inverse=True)
    n = len(days)
    theta = np.zeros(2 + n)
    theta[0] = 1.0
    centre = theta.copy()
    precision = np.full(2 + n, 1.0 / LEVEL_SPREAD**2)
    precision[0] = 1.0 / SLOPE_SPREAD**2 if free_slope else 1e12
    precision[1] = 1e-6
    for _ in range(50):
        p = sigmoid(theta[0] * margin + theta[1] + theta[2 + place])
        error, spread = p - label, p * (1 - p)
        gradient = _sums(error, margin, place, n) + precision * (theta - centre)
        step = np.linalg.solve(_hessian(spread, margin, place, n, precision), gradient)
        norm = float(np.abs(step).max())
        theta = theta - step * min(1.0, 2.0 / max(norm, 1e-12))
        if norm < 1e-9:
            break
    if theta[0] < MIN_SLOPE and free_slope:
        return _flat(margin, label, day)
    return Line(float(theta[0]), days, theta[1] + theta[2:])


def _flat(margin: Floats, label: Floats, day: Ints) -> Line:
    """The flattest line allowed, at the levels that go with it."""
    line = fit_line(MIN_SLOPE * margin, label, day, free_slope=False)
    return Line(MIN_SLOPE, line.days, line.levels)


def _sums(values: Floats, margin: Floats, place: Ints, n: int) -> Floats:
    by_day = np.bincount(place, values, n)
    return np.concatenate([[float(np.sum(values * margin)), float(by_day.sum())], by_day])


def _hessian(spread: Floats, margin: Floats, place: Ints, n: int, precision: Floats) -> Floats:
    by_day = np.bincount(place, spread, n)
    crossed = np.bincount(place, spread * margin, n)
    matrix = np.diag(precision)
    matrix[0, 0] += float(np.sum(spread * margin**2))
    matrix[0, 1] = matrix[1, 0] = float(crossed.sum())
    matrix[0, 2:] = matrix[2:, 0] = crossed
    matrix[1, 1] += float(by_day.sum())
    matrix[1, 2:] = matrix[2:, 1] = by_day
    matrix[2:, 2:] += np.diag(by_day)
    return matrix
