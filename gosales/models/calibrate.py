"""From log-odds to probabilities: Platt's line or isotonic steps, on rows not fitted on.

A division's level moves with season and launch while its ranking stays: so the line's slope is
common to all judged cutoffs, each has a level of its own, and the level of the cutoff to come
is forecast from them (``level``). The method is chosen by its Brier score on customers that it
was not fitted on, against leaving the log-odds as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gosales.models.frame import Bools, Floats, Ints
from gosales.models.lately import NOTHING, Moves
from gosales.models.level import Line, fit_line, sigmoid

__all__ = ["Calibrator", "Evidence", "choose_calibrator", "fit_calibrator", "sigmoid"]

# A gain in the Brier score below this share is no reason to calibrate.
MIN_GAIN = 1e-4


@dataclass(frozen=True)
class Evidence:
    """Rows that the scored model has not seen: log-odds, labels, ordinal cutoff, customer fold."""

    margin: Floats
    label: Floats
    day: Ints
    fold: Ints

    def where(self, mask: Bools) -> Evidence:
        return Evidence(self.margin[mask], self.label[mask], self.day[mask], self.fold[mask])


@dataclass(frozen=True)
class Calibrator:
    """``none`` and ``platt``: a line in the log-odds; ``isotonic``: then steps between knots.

    Isotonic probabilities keep the order of the log-odds within a step by a tilt too small
    to matter (1e-6 over the whole range), so that ranks stay strict.
    """

    method: str
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def probability(self, margin: Floats) -> Floats:
        """Log-odds -> probabilities within (0, 1), in the same order."""
        line = self.slope * margin + self.intercept
        if self.method != "isotonic":
            return np.clip(sigmoid(line), 1e-6, 1 - 1e-6)
        at = np.array([knot[0] for knot in self.knots])
        step = np.array([knot[1] for knot in self.knots])
        stepped: Floats = np.interp(line, at, step) + 1e-6 * (sigmoid(margin) - 0.5)
        return np.clip(stepped, 1e-6, 1 - 1e-6)

    def native(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "knots": [list(knot) for knot in self.knots],
        }

    @classmethod
    def from_native(cls, native: dict[str, Any]) -> Calibrator:
        knots = tuple((float(a), float(b)) for a, b in native["knots"])
        return cls(native["method"], float(native["slope"]), float(native["intercept"]), knots)


def choose_calibrator(
    methods: Sequence[str],
    evidence: Evidence,
    target: dt.date,
    window_months: int,
    isotonic_min_positives: int,
    moves: Moves = NOTHING,
) -> tuple[Calibrator, dict[str, float]]:
    """The method with the lowest out-of-fold Brier score, and every method's score.

    Isotonic needs ``isotonic_min_positives``; ``none`` is always tried, so that calibration
    never makes it worse. ``target`` is the cutoff that the calibrated model will score, ``moves``
    what was seen of its level lately.
    """
    tried = ["none", *methods]
    if evidence.label.sum() < isotonic_min_positives:
        tried = [method for method in tried if method != "isotonic"]
    briers = {}
    for method in tried:
        p = np.empty(len(evidence.margin))
        for number in np.unique(evidence.fold):
            out = evidence.fold == number
            line = _line(method, evidence.where(~out))
            p[out] = _at_own_level(method, line, evidence.where(~out), evidence.where(out))
        briers[method] = float(np.mean((p - evidence.label) ** 2))
    best = min(tried, key=lambda method: briers[method])
    if briers[best] > briers["none"] * (1 - MIN_GAIN):
        best = "none"
    return fit_calibrator(best, evidence, target, window_months, moves), briers


def fit_calibrator(
    method: str,
    evidence: Evidence,
    target: dt.date,
    window_months: int,
    moves: Moves = NOTHING,
) -> Calibrator:
    """Fit one method; with a single class there is nothing to learn and it stays ``none``."""
    line = _line(method, evidence)
    if line is None:
        return Calibrator("none")
    intercept = line.forecast(target, window_months, moves)
    if method != "isotonic":
        return Calibrator(method, line.slope, intercept)
    steps = _isotonic(line.at(evidence.margin, evidence.day), evidence.label)
    return Calibrator("isotonic", line.slope, intercept, steps)


def _line(method: str, evidence: Evidence) -> Line | None:
    """``none`` has a level as well, but the slope that the model came with."""
    if not 0 < evidence.label.sum() < len(evidence.label):
        return None
    free = method != "none"
    return fit_line(evidence.margin, evidence.label, evidence.day, free_slope=free)


def _at_own_level(method: str, line: Line | None, fitted: Evidence, judged: Evidence) -> Floats:
    """Probabilities of the judged rows at their own cutoffs' levels."""
    if line is None:
        return sigmoid(judged.margin)
    at = line.at(judged.margin, judged.day)
    if method != "isotonic":
        return sigmoid(at)
    steps = _isotonic(line.at(fitted.margin, fitted.day), fitted.label)
    return Calibrator("isotonic", knots=steps).probability(at)


def _isotonic(margin: Floats, label: Floats) -> tuple[tuple[float, float], ...]:
    """Steps that only rise; knots are the first and last log-odds of each step."""
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(margin, kind="stable")
    at, start = np.unique(margin[order], return_index=True)
    weight = np.diff(np.append(start, len(order))).astype(float)
    total = np.add.reduceat(label[order], start)
    fitted = isotonic_regression(total / weight, sample_weight=weight)
    first = np.concatenate([[0], np.flatnonzero(np.diff(fitted) > 1e-12) + 1])
    last = np.append(first[1:], len(at)) - 1
    weight, total = np.add.reduceat(weight, first), np.add.reduceat(total, first)
    # Nobody is certain to buy, or not to: half a customer of the step did otherwise.
    doubt = 0.5 / (weight + 1)
    steps = np.maximum.accumulate(np.clip(total / weight, doubt, 1 - doubt))
    knots: list[tuple[float, float]] = []
    for step, one, other in zip(steps, at[first], at[last], strict=True):
        knots.append((float(one), float(step)))
        if other > one:
            knots.append((float(other), float(step)))
    return tuple(knots)
