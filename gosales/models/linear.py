"""Logistic regression in one standardisation, so that fits can borrow from each other.

Features are squashed by a signed log, standardised and clipped; a null stands at the mean and
has a column of its own (one for features that are null together). ``Standard`` holds that
transformation. Fits in the same standard add up coefficient by coefficient: a division's own
fit on top of the pooled one, or the mean of several, is a logistic regression again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gosales.models.bases import CLIP, LinearBase, squash
from gosales.models.frame import Floats, Ints, Singles

__all__ = ["Linear", "Penalty", "Standard", "fit_linear", "mean_of"]

# C is per this many (weighted) rows: a fit on more rows shrinks as much as one on few, so that
# a calibration learnt from the smaller fits of the protocol holds for the final one.
ROWS = 10_000
# How much less than a feature's the coefficients of these are shrunk.
FREE = 0.01


@dataclass(frozen=True)
class Standard:
    """(rows, features) -> the columns that are fitted: features, then patterns of nulls."""

    mean: Floats
    spread: Floats
    first: Ints  # of each null pattern, the first feature that has it
    null_mean: Floats
    null_spread: Floats

    @classmethod
    def of(cls, x: Singles) -> Standard:
        """Of features that each have a value somewhere."""
        squashed = squash(x)
        absent = np.isnan(squashed)
        spread = np.nanstd(squashed, axis=0)
        spread[spread < 1e-9] = 1.0
        seen: dict[bytes, int] = {}
        for place in np.flatnonzero(absent.any(axis=0)):
            seen.setdefault(np.packbits(absent[:, place]).tobytes(), int(place))
        first = np.array(list(seen.values()), dtype=np.int64)
        nulls = absent[:, first].astype(np.float64)
        return cls(
            np.nanmean(squashed, axis=0), spread, first, nulls.mean(axis=0), nulls.std(axis=0)
        )

    def apply(self, x: Singles) -> Floats:
        squashed = squash(x)
        absent = np.isnan(squashed)
        z = np.clip((squashed - self.mean) / self.spread, -CLIP, CLIP)
        z[absent] = 0.0
        nulls = (absent[:, self.first] - self.null_mean) / self.null_spread
        return np.hstack([z, nulls])


@dataclass(frozen=True)
class Linear:
    """Coefficients in a standard, features first, then null patterns; and the intercept."""

    standard: Standard
    coef: Floats
    intercept: float

    def margin(self, z: Floats) -> Floats:
        total: Floats = np.add.reduce(z * self.coef, axis=1) + self.intercept
        return total

    def base(self, c: float, l1_ratio: float, pooling: str) -> LinearBase:
        """The same as a model of raw features."""
        features = len(self.standard.mean)
        pattern = self.coef[features:] / self.standard.null_spread
        null_coef = np.zeros(features)
        null_coef[self.standard.first] = pattern
        return LinearBase(
            mean=self.standard.mean,
            spread=self.standard.spread,
            coef=self.coef[:features].copy(),
            null_coef=null_coef,
            intercept=float(self.intercept - pattern @ self.standard.null_mean),
            c=c,
            l1_ratio=l1_ratio,
            pooling=pooling,
        )


def mean_of(fits: Sequence[Linear]) -> Linear:
    """The mean of the fits' log-odds."""
    coef: Floats = np.mean([fit.coef for fit in fits], axis=0)
    return Linear(fits[0].standard, coef, float(np.mean([fit.intercept for fit in fits])))


@dataclass(frozen=True)
class Penalty:
    """Inverse strength of shrinkage per ROWS weighted rows, and the share that is l1."""

    c: float
    l1_ratio: float


def fit_linear(
    z: Floats,
    label: Floats,
    weight: Floats,
    free: Sequence[tuple[Floats, float]],
    how: Penalty,
    seed: int,
) -> tuple[Floats, list[Floats], float]:
    """Coefficients of ``z``, of each block of ``free`` columns, and the intercept.

    A block comes with the penalty of its coefficients in rows' worth of loss (a feature's is
    ``1 / strength``); it is scaled up so that one penalty serves all.
    """
    from sklearn.linear_model import LogisticRegression

    strength = how.c * ROWS / float(weight.sum())
    scales = [float(np.sqrt(1.0 / strength / penalty)) for _, penalty in free]
    blocks = [block * scale for (block, _), scale in zip(free, scales, strict=True)]
    matrix = np.hstack([z, *blocks])
    model = LogisticRegression(C=strength, **_solver(how.l1_ratio, seed))
    model.fit(matrix, label.astype(np.int64), sample_weight=weight)
    coef, found, start = model.coef_[0], [], z.shape[1]
    for (block, _), scale in zip(free, scales, strict=True):
        found.append(coef[start : start + block.shape[1]] * scale)
        start += block.shape[1]
    return coef[: z.shape[1]].copy(), found, float(model.intercept_[0])


def _solver(l1_ratio: float, seed: int) -> dict[str, Any]:
    """Newton's method without an l1 part, saga with one."""
    if l1_ratio == 0.0:
        return {"solver": "newton-cholesky", "max_iter": 50}
    from sklearn import __version__

    named = {} if tuple(map(int, __version__.split(".")[:2])) >= (1, 8) else {
        "penalty": "elasticnet"
    }  # fmt: skip
    saga = {"solver": "saga", "l1_ratio": l1_ratio, "max_iter": 300, "tol": 1e-4}
    return {**saga, **named, "random_state": seed}
