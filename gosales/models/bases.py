"""The two kinds of fitted base model: linear and trees. Numbers in, log-odds out.

Both predict row by row (the same row gives the same bits in any batch), explain each
prediction exactly as a sum of contributions, and are written as JSON. ``log_weight`` is the
log of the weight that positives had in training: it is taken off again, so that log-odds
are those of the data and not of the weighted sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from gosales.models.frame import Floats

__all__ = ["Base", "LinearBase", "TreeBase", "base_from_native", "squash"]

CLIP = 5.0


class Base(Protocol):
    """A fitted model of ``columns`` features."""

    @property
    def kind(self) -> str: ...
    def margin(self, x: Floats) -> Floats:
        """(rows, features) -> log-odds, one a row."""

    def contributions(self, x: Floats) -> Floats:
        """(rows, features) -> (rows, features): what each feature adds to the log-odds."""

    def params(self) -> dict[str, Any]:
        """The parameters of this very model, read back from it."""

    def native(self) -> dict[str, Any]:
        """The model as JSON values."""


def squash(x: Floats) -> Floats:
    """Signed log1p: money and counts over many orders of magnitude become comparable."""
    squashed: Floats = np.copysign(np.log1p(np.abs(x)), x)
    return squashed


@dataclass(frozen=True)
class LinearBase:
    """Logistic regression on signed-log features, standardised and clipped at 5 spreads.

    A null stands at its feature's mean and so adds nothing, unless ``null_coef`` says what
    a null of that feature adds (features that are null together share one such term).
    """

    mean: Floats
    spread: Floats
    coef: Floats
    null_coef: Floats
    intercept: float
    log_weight: float
    c: float
    l1_ratio: float

    kind = "logreg"

    def contributions(self, x: Floats) -> Floats:
        z = (squash(x) - self.mean) / self.spread
        parts: Floats = np.clip(z, -CLIP, CLIP) * self.coef
        return np.ascontiguousarray(np.where(np.isnan(x), self.null_coef, parts))

    def margin(self, x: Floats) -> Floats:
        parts = self.contributions(x)
        total: Floats = np.add.reduce(parts, axis=1) + (self.intercept - self.log_weight)
        return total

    def params(self) -> dict[str, Any]:
        return {
            "C": self.c,
            "l1_ratio": self.l1_ratio,
            "positive_weight": round(float(np.exp(self.log_weight)), 6),
        }

    def native(self) -> dict[str, Any]:
        arrays = {
            name: [float(value) for value in getattr(self, name)]
            for name in ("mean", "spread", "coef", "null_coef")
        }
        numbers = {
            name: float(getattr(self, name))
            for name in ("intercept", "log_weight", "c", "l1_ratio")
        }
        return {"kind": self.kind, **arrays, **numbers}


@dataclass(frozen=True)
class TreeBase:
    """A LightGBM model, kept as its own text form."""

    text: str
    log_weight: float

    kind = "lgbm"

    @cached_property
    def _booster(self) -> Any:
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def margin(self, x: Floats) -> Floats:
        raw = self._booster.predict(x, raw_score=True, num_threads=1)
        total: Floats = np.asarray(raw, dtype=np.float64) - self.log_weight
        return total

    def contributions(self, x: Floats) -> Floats:
        """TreeSHAP values, as LightGBM computes them; the last column, the mean, is cut off."""
        shap = self._booster.predict(x, pred_contrib=True, num_threads=1)
        return np.ascontiguousarray(np.asarray(shap, dtype=np.float64)[:, :-1])

    def params(self) -> dict[str, Any]:
        """As the text form records them, and the number of trees that it holds."""
        recorded = dict(
            line.strip("[]").split(": ", 1)
            for line in self.text.splitlines()
            if line.startswith("[") and ": " in line
        )
        return {
            "num_leaves": int(recorded["num_leaves"]),
            "learning_rate": float(recorded["learning_rate"]),
            "min_child_samples": int(recorded["min_data_in_leaf"]),
            "feature_fraction": float(recorded["feature_fraction"]),
            "trees": int(self._booster.num_trees()),
            "positive_weight": round(float(np.exp(self.log_weight)), 6),
        }

    def native(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "log_weight": float(self.log_weight)}


def base_from_native(native: dict[str, Any]) -> Base:
    """The model that ``native()`` wrote, equal to the bit."""
    if native["kind"] == "lgbm":
        return TreeBase(native["text"], native["log_weight"])
    mean, spread, coef, null_coef = (
        np.array(native[name], dtype=np.float64) for name in ("mean", "spread", "coef", "null_coef")
    )
    return LinearBase(
        mean=mean,
        spread=spread,
        coef=coef,
        null_coef=null_coef,
        intercept=native["intercept"],
        log_weight=native["log_weight"],
        c=native["c"],
        l1_ratio=native["l1_ratio"],
    )
