"""From log-odds to probabilities that mean what they say.

A calibrator is fitted on log-odds of rows that the base model did not see, and chosen by its
own out-of-fold Brier score against leaving the log-odds as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gosales.models.frame import Bools, Floats, Ints

__all__ = ["Calibrator", "choose_calibrator", "fit_calibrator", "sigmoid"]

# A flatter line than this would turn the ranking to noise, or upside down.
MIN_SLOPE = 0.05
# A gain in the Brier score below this share is no reason to calibrate.
MIN_GAIN = 1e-4


@dataclass(frozen=True)
class Calibrator:
    """``none`` and ``platt``: a line in the log-odds; ``isotonic``: steps between knots.

    Isotonic probabilities keep the order of the log-odds within a step by a tilt too small
    to matter (1e-6 over the whole range), so that ranks stay strict.
    """

    method: str
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def probability(self, margin: Floats) -> Floats:
        """Log-odds -> probabilities within (0, 1), in the same order."""
        if self.method != "isotonic":
            return sigmoid(self.slope * margin + self.intercept)
        at = np.array([knot[0] for knot in self.knots])
        level = np.array([knot[1] for knot in self.knots])
        stepped: Floats = np.interp(margin, at, level) + 1e-6 * (sigmoid(margin) - 0.5)
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


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    result: Floats = np.where(z >= 0, 1.0, small) / (1.0 + small)
    return result


def choose_calibrator(
    methods: Sequence[str],
    margin: Floats,
    label: Floats,
    fold: Ints,
    isotonic_min_positives: int,
) -> tuple[Calibrator, dict[str, float]]:
    """The method with the lowest out-of-fold Brier score, and every method's score.

    ``fold`` groups the rows by customer. Isotonic needs ``isotonic_min_positives``;
    ``none`` is always tried, so that calibration never makes it worse.
    """
    positives = float(label.sum())
    tried = ["none", *methods]
    if positives < isotonic_min_positives:
        tried = [method for method in tried if method != "isotonic"]
    briers = {}
    for method in tried:
        p = np.empty(len(margin))
        for number in np.unique(fold):
            out = fold == number
            p[out] = fit_calibrator(method, margin[~out], label[~out]).probability(margin[out])
        briers[method] = float(np.mean((p - label) ** 2))
    best = min(tried, key=lambda method: briers[method])
    if briers[best] > briers["none"] * (1 - MIN_GAIN):
        best = "none"
    return fit_calibrator(best, margin, label), briers


def fit_calibrator(method: str, margin: Floats, label: Floats) -> Calibrator:
    """Fit one method; with a single class there is nothing to learn and it stays ``none``."""
    if method == "none" or not 0 < label.sum() < len(label):
        return Calibrator("none")
    if method == "platt":
        return Calibrator("platt", *_platt(margin, label))
    return Calibrator("isotonic", knots=_isotonic(margin, label))


def _platt(margin: Floats, label: Floats) -> tuple[float, float]:
    """Newton's method on (slope, intercept) with Platt's smoothed targets."""
    positives, negatives = float(label.sum()), float(len(label) - label.sum())
    target = np.where(label > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    slope, intercept = _newton(margin, target, free_slope=True)
    if slope < MIN_SLOPE:
        slope, intercept = _newton(margin, target, free_slope=False)
    return slope, intercept


def _newton(margin: Floats, target: Floats, free_slope: bool) -> tuple[float, float]:
    theta = np.array([1.0 if free_slope else MIN_SLOPE, 0.0])
    design = np.column_stack([margin, np.ones(len(margin))])
    for _ in range(50):
        p = sigmoid(np.add.reduce(design * theta, axis=1))
        gradient = np.add.reduce(design * (p - target)[:, None], axis=0)
        spread = p * (1 - p)
        hessian = design.T @ (design * spread[:, None]) + 1e-9 * np.eye(2)
        if free_slope:
            step = np.linalg.solve(hessian, gradient)
        else:
            step = np.array([0.0, gradient[1] / hessian[1, 1]])
        norm = float(np.abs(step).max())
        theta = theta - step * min(1.0, 2.0 / max(norm, 1e-12))
        if norm < 1e-10:
            break
    return float(theta[0]), float(theta[1])


def _isotonic(margin: Floats, label: Floats) -> tuple[tuple[float, float], ...]:
    """Pooled adjacent violators; knots are the first and last log-odds of each step."""
    order = np.argsort(margin, kind="stable")
    at, start = np.unique(margin[order], return_index=True)
    weights = np.diff(np.append(start, len(order))).astype(float)
    sums = np.add.reduceat(label[order], start)
    blocks: list[list[float]] = []  # [sum, weight, first, last]
    for value, weight, total in zip(at, weights, sums, strict=True):
        blocks.append([float(total), float(weight), float(value), float(value)])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1], blocks[-1][2], last[3]]
    knots: list[tuple[float, float]] = []
    for total, weight, first, last_at in blocks:
        knots.append((first, total / weight))
        if last_at > first:
            knots.append((last_at, total / weight))
    return tuple(knots)


def folds_of(code: Ints, draw: Floats, folds: int) -> Ints:
    """The fold of each row, by its customer: ``draw`` holds a number in [0, 1) a customer."""
    number: Ints = np.floor(draw[code] * folds).astype(np.int64)
    return number


def customer_mask(code: Ints, draw: Floats, share: float) -> Bools:
    """Rows of a seeded ``share`` of the customers."""
    mask: Bools = draw[code] < share
    return mask
