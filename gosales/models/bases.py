"""The kinds of fitted base model: linear, trees, and their mean. Numbers in, log-odds out.

Each predicts row by row (the same row gives the same bits in any batch), explains each
prediction exactly as a sum of contributions, and is written as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gosales.models.frame import Floats

__all__ = [
    "CLIP",
    "Base",
    "BlendBase",
    "LinearBase",
    "TreeBase",
    "base_from_native",
    "mean_margin",
    "squash",
]

CLIP = 5.0


class Base(Protocol):
    """A fitted model of ``columns`` features."""

    @property
    def kind(self) -> str: ...
    def margin(self, x: npt.NDArray[Any]) -> Floats:
        """(rows, features) -> log-odds, one a row."""

    def contributions(self, x: npt.NDArray[Any]) -> Floats:
        """(rows, features) -> (rows, features): what each feature adds to the log-odds."""

    def params(self) -> dict[str, Any]:
        """The parameters of this very model, read back from it."""

    def native(self) -> dict[str, Any]:
        """The model as JSON values."""


def squash(x: npt.NDArray[Any]) -> Floats:
    """Signed log1p: money and counts over many orders of magnitude become comparable."""
    wide = x.astype(np.float64)
    squashed: Floats = np.copysign(np.log1p(np.abs(wide)), wide)
    return squashed


@dataclass(frozen=True)
class LinearBase:
    """Logistic regression on signed-log features, standardised and clipped at 5 spreads.

    A null stands at its feature's mean and so adds nothing, unless ``null_coef`` says what
    a null of that feature adds (features that are null together share one such term).
    ``kind`` is ``rule`` for the recency-frequency baseline, whose coefficients are given.
    """

    mean: Floats
    spread: Floats
    coef: Floats
    null_coef: Floats
    intercept: float
    c: float
    l1_ratio: float
    pooling: str
    kind: str = "logreg"

    def without(self, places: Sequence[int]) -> LinearBase:
        """The same, blind to these features."""
        coef, null_coef = self.coef.copy(), self.null_coef.copy()
        coef[list(places)] = 0.0
        null_coef[list(places)] = 0.0
        return replace(self, coef=coef, null_coef=null_coef)

    def contributions(self, x: npt.NDArray[Any]) -> Floats:
        z = (squash(x) - self.mean) / self.spread
        parts: Floats = np.clip(z, -CLIP, CLIP) * self.coef
        return np.ascontiguousarray(np.where(np.isnan(x), self.null_coef, parts))

    def margin(self, x: npt.NDArray[Any]) -> Floats:
        total: Floats = np.add.reduce(self.contributions(x), axis=1) + self.intercept
        return total

    def params(self) -> dict[str, Any]:
        if self.kind == "rule":
            return {}
        return {"C": self.c, "l1_ratio": self.l1_ratio, "pooling": self.pooling}

    def native(self) -> dict[str, Any]:
        arrays = {name: [float(value) for value in getattr(self, name)] for name in _ARRAYS}
        numbers = {name: float(getattr(self, name)) for name in ("intercept", "c", "l1_ratio")}
        return {"kind": self.kind, "pooling": self.pooling, **arrays, **numbers}


_ARRAYS = ("mean", "spread", "coef", "null_coef")


@dataclass(frozen=True)
class TreeBase:
    """A LightGBM model, kept as its own text form.

    ``division`` is the number of the division among those that the trees were pooled over: a
    constant last column, whose part in a prediction is no feature's. ``log_weight`` is the log
    of the weight that positives had in training; it is taken off again.
    """

    text: str
    log_weight: float
    division: int | None = None

    kind = "lgbm"

    @cached_property
    def _booster(self) -> Any:
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def _rows(self, x: npt.NDArray[Any]) -> Floats:
        wide = np.ascontiguousarray(x, dtype=np.float64)
        if self.division is None:
            return wide
        return np.column_stack([wide, np.full(len(wide), float(self.division))])

    def margin(self, x: npt.NDArray[Any]) -> Floats:
        raw = self._booster.predict(self._rows(x), raw_score=True, num_threads=1)
        total: Floats = np.asarray(raw, dtype=np.float64) - self.log_weight
        return total

    def contributions(self, x: npt.NDArray[Any]) -> Floats:
        """TreeSHAP values, as LightGBM computes them; the mean in the last column is cut off."""
        shap = self._booster.predict(self._rows(x), pred_contrib=True, num_threads=1)
        return np.ascontiguousarray(np.asarray(shap, dtype=np.float64)[:, : x.shape[1]])

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
            "pooling": "own" if self.division is None else "pooled",
        }

    def native(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "text": self.text,
            "log_weight": float(self.log_weight),
            "division": self.division,
        }


def mean_margin(margins: Sequence[Floats]) -> Floats:
    """The log-odds of a blend from those of its parts."""
    mean: Floats = np.mean(margins, axis=0)
    return mean


@dataclass(frozen=True)
class BlendBase:
    """The mean of the log-odds of several models of the same features."""

    parts: tuple[Base, ...]

    @property
    def kind(self) -> str:
        return "+".join(part.kind for part in self.parts)

    def margin(self, x: npt.NDArray[Any]) -> Floats:
        return mean_margin([part.margin(x) for part in self.parts])

    def contributions(self, x: npt.NDArray[Any]) -> Floats:
        mean: Floats = np.mean([part.contributions(x) for part in self.parts], axis=0)
        return np.ascontiguousarray(mean)

    def params(self) -> dict[str, Any]:
        return {part.kind: part.params() for part in self.parts}

    def native(self) -> dict[str, Any]:
        return {"kind": "blend", "parts": [part.native() for part in self.parts]}


def base_from_native(native: dict[str, Any]) -> Base:
    """The model that ``native()`` wrote, equal to the bit."""
    if native["kind"] == "blend":
        return BlendBase(tuple(base_from_native(part) for part in native["parts"]))
    if native["kind"] == "lgbm":
        return TreeBase(native["text"], native["log_weight"], native["division"])
    arrays = {name: np.array(native[name], dtype=np.float64) for name in _ARRAYS}
    return LinearBase(
        **arrays,
        intercept=native["intercept"],
        c=native["c"],
        l1_ratio=native["l1_ratio"],
        pooling=native["pooling"],
        kind=native["kind"],
    )
