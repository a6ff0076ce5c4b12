"""What can be fitted: the candidates of the configured grids, and how each is fitted.

Logistic regression: squashed, standardised features, elastic net, positives weighted.
LightGBM: shallow deterministic trees; boosting stops early on customers that the trees do
not see. Either gives the same model for the same rows and seed, on any number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gosales.models.bases import CLIP, Base, LinearBase, TreeBase, squash
from gosales.models.frame import Bools, Floats
from gosales.settings import ModelingSettings

__all__ = ["Candidate", "Sample", "fit", "grid"]

# C is per this many (weighted) rows: a fit on more rows shrinks as much as one on few, so that
# a calibration learnt from the smaller fits of the protocol holds for the final one.
ROWS = 10_000
STOP_AFTER = 25
STOP_SHARE = 0.2
# Fewest positives among the held-out customers for early stopping to mean something.
STOP_POSITIVES = 5


@dataclass(frozen=True)
class Candidate:
    """A kind of model with its parameters, as ``logreg`` with C = 0.003."""

    kind: str
    params: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        words = ",".join(f"{key}={value:g}" for key, value in self.params)
        return f"{self.kind}({words})"


@dataclass(frozen=True)
class Sample:
    """Rows to fit on; ``held`` marks the customers that early stopping may look at."""

    x: Floats
    label: Floats
    held: Bools

    def positive_weight(self, cap: float) -> float:
        """Negatives per positive, at most ``cap``, at least 1."""
        positives = float(self.label.sum())
        return float(min(max((len(self.label) - positives) / positives, 1.0), cap))


def grid(kinds: Sequence[str], settings: ModelingSettings) -> list[Candidate]:
    """Every combination of each kind's axes, in the order of the configuration."""
    candidates = []
    for kind in kinds:
        axes = (settings.lr_grid if kind == "logreg" else settings.lgbm_grid).model_dump()
        for values in itertools.product(*axes.values()):
            candidates.append(Candidate(kind, tuple(zip(axes, values, strict=True))))
    return list(dict.fromkeys(candidates))


def fit(candidate: Candidate, sample: Sample, settings: ModelingSettings, seed: int) -> Base:
    """Fit one candidate. The sample holds both classes (see ``protocol.usable``)."""
    params = dict(candidate.params)
    weight = sample.positive_weight(settings.scale_pos_weight_cap)
    if candidate.kind == "logreg":
        return _fit_linear(params, sample, weight, seed)
    return _fit_trees(params, sample, weight, settings.lgbm_rounds, seed)


def _fit_linear(params: dict[str, float], sample: Sample, weight: float, seed: int) -> Base:
    from sklearn.linear_model import LogisticRegression

    squashed = squash(sample.x)
    absent = np.isnan(squashed)
    mean = np.nanmean(squashed, axis=0)
    spread = np.nanstd(squashed, axis=0)
    spread[spread < 1e-9] = 1.0
    z = np.clip((squashed - mean) / spread, -CLIP, CLIP)
    z[absent] = 0.0
    nulls, first = _null_patterns(absent)
    null_mean, null_spread = nulls.mean(axis=0), nulls.std(axis=0)
    matrix = np.hstack([z, (nulls - null_mean) / null_spread])
    strength = params["C"] * ROWS / (len(matrix) + (weight - 1) * sample.label.sum())
    model = LogisticRegression(
        C=strength, class_weight={0: 1.0, 1: weight}, **_solver(params["l1_ratio"], seed)
    ).fit(matrix, sample.label.astype(np.int64))
    fitted = model.coef_[0]
    coef, pattern = fitted[: len(mean)], fitted[len(mean) :] / null_spread
    null_coef = np.zeros(len(mean))
    null_coef[first] = pattern
    return LinearBase(
        mean=mean,
        spread=spread,
        coef=coef.copy(),
        null_coef=null_coef,
        intercept=float(model.intercept_[0] - pattern @ null_mean),
        log_weight=float(np.log(weight)),
        c=float(params["C"]),
        l1_ratio=float(params["l1_ratio"]),
    )


def _null_patterns(absent: Bools) -> tuple[Floats, list[int]]:
    """The distinct, not constant patterns of nulls, and the first feature of each."""
    seen: dict[bytes, int] = {}
    for place in range(absent.shape[1]):
        column = absent[:, place]
        if column.any() and not column.all():
            seen.setdefault(np.packbits(column).tobytes(), place)
    first = list(seen.values())
    return absent[:, first].astype(np.float64), first


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


def _fit_trees(
    params: dict[str, float], sample: Sample, weight: float, rounds: int, seed: int
) -> Base:
    import lightgbm

    settings = {
        "objective": "binary",
        "num_leaves": int(params["num_leaves"]),
        "learning_rate": float(params["learning_rate"]),
        "min_data_in_leaf": int(params["min_child_samples"]),
        "feature_fraction": float(params["feature_fraction"]),
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    held = sample.held
    stopping = STOP_POSITIVES <= sample.label[held].sum() < held.sum() and _both(
        sample.label[~held]
    )
    seen = ~held if stopping else np.ones(len(held), dtype=bool)
    # The same as scale_pos_weight, but boosting starts at the weighted level too, so that
    # log_weight is what separates the log-odds from those of the data however early it stops.
    weights = np.where(sample.label > 0, weight, 1.0)
    train = lightgbm.Dataset(sample.x[seen], sample.label[seen], weight=weights[seen])
    extra: dict[str, Any] = {}
    if stopping:
        extra["valid_sets"] = [
            lightgbm.Dataset(sample.x[held], sample.label[held], train, weight=weights[held])
        ]
        extra["callbacks"] = [lightgbm.early_stopping(STOP_AFTER, verbose=False)]
    booster = lightgbm.train(
        {**settings, "metric": "binary_logloss"}, train, num_boost_round=rounds, **extra
    )
    best = booster.best_iteration if stopping else rounds
    return TreeBase(booster.model_to_string(num_iteration=best), float(np.log(weight)))


def _both(label: Floats) -> bool:
    return bool(0 < label.sum() < len(label))
