"""What a purchase is worth: the second part of probability times value.

Worth is what a buyer brings in a label window, capped at a quantile. Its logarithm is a ridge
regression on what the customer's orders were worth so far; the result is scaled so that buyers'
values add up to what they brought (Duan 1983 calls such a factor smearing). Where that does not
come closer than the mean on customers that it has not seen, the mean is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gosales.models.bases import squash
from gosales.models.fitting import Fitter
from gosales.models.frame import Floats, Frame, Ints, Singles
from gosales.models.sample import seed_of, thin
from gosales.models.slices import JOINT, Slice, fold_of

__all__ = ["ValueModel", "fit_value"]

# The division's mean weighs as much as this many purchases of the cohort's own.
PRIOR_PURCHASES = 20.0
FEWEST_PURCHASES = 60
RIDGE = 30.0
FOLDS = 5
FEATURES = tuple(
    f"rfm__{scope}__{measure}__{window}"
    for scope in ("all", "div")
    for measure, window in (
        ("gp_mean", "life"), ("gp_mean", "12m"), ("gp_sum", "12m"), ("tx_n", "12m"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class ValueModel:
    """``mean`` alone, or a regression of the log of worth within ``low`` and ``high``.

    ``columns`` are places in the frame, later in the classifier's features. A null stands at
    its feature's mean.
    """

    mean: float
    columns: tuple[int, ...] = ()
    centre: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    coef: tuple[float, ...] = ()
    intercept: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def worth(self, x: Singles) -> Floats:
        """(rows, features) -> what a purchase by each customer is worth, in the log's currency."""
        if not self.columns:
            return np.full(len(x), self.mean)
        z = (squash(x[:, list(self.columns)]) - np.array(self.centre)) / np.array(self.spread)
        parts = np.where(np.isnan(z), 0.0, np.clip(z, -5, 5)) * np.array(self.coef)
        log = np.add.reduce(np.ascontiguousarray(parts), axis=1) + self.intercept
        worth: Floats = np.clip(np.exp(log), self.low, self.high)
        return worth

    def native(self) -> dict[str, Any]:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_native(cls, native: dict[str, Any]) -> ValueModel:
        fields: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in native.items()
        }
        return cls(**fields)


def fit_value(fitter: Fitter, cohort: str, within: Slice) -> ValueModel:
    """Learnt from the cohort's purchases in the slice.

    A division without a purchase takes the mean of those at its launch, else of all divisions.
    """
    frame, settings = fitter.frame, fitter.pool.settings
    cap = settings.value_cap_quantile
    rows = within.rows(frame, cohort)
    rows = rows[frame.label[rows] > 0]
    mean = _mean(fitter, cohort, within, cap)
    usable = set(frame.names) - fitter.leaks(cohort, within)
    columns = tuple(frame.names.index(name) for name in FEATURES if name in usable)
    if len(rows) < FEWEST_PURCHASES or not columns:
        return ValueModel(mean)
    seed = seed_of(fitter.pool.seed, "value", frame.division, cohort)
    rows = thin(rows, frame.label[rows], settings.own_rows, seed).rows
    worth = _capped(frame.gp[rows], cap)
    fold = fold_of(frame.draw[rows], seed % 1000, FOLDS)
    errors = np.zeros(2)
    for number in np.unique(fold):
        out = fold == number
        if not 2 <= out.sum() < len(out) - 2:
            continue
        model = _regress(frame, rows[~out], worth[~out], columns, mean)
        errors[0] += np.sum((model.worth(frame.x[rows[out]]) - worth[out]) ** 2)
        errors[1] += np.sum((worth[~out].mean() - worth[out]) ** 2)
    if errors[0] >= errors[1]:
        return ValueModel(mean)
    return _regress(frame, rows, worth, columns, mean)


def _regress(
    frame: Frame, rows: Ints, worth: Floats, columns: tuple[int, ...], mean: float
) -> ValueModel:
    squashed = squash(frame.x[np.ix_(rows, np.array(columns))])
    absent = np.isnan(squashed)
    # A feature that is null for all stands at nothing.
    centre = np.where(absent.all(axis=0), 0.0, _nanmean(squashed, absent))
    z = np.where(absent, 0.0, squashed - centre)
    spread = np.sqrt(np.mean(z**2, axis=0))
    spread[spread < 1e-9] = 1.0
    z = np.clip(z / spread, -5, 5)
    target = np.log(np.maximum(worth, 1e-6))
    middle = float(target.mean())
    gram = z.T @ z + RIDGE * np.eye(z.shape[1])
    coef = np.linalg.solve(gram, z.T @ (target - middle))
    smear = float(np.log(worth.sum() / np.exp(z @ coef + middle).sum()))
    low, high = (float(one) for one in np.quantile(worth, [0.02, 1.0]))
    return ValueModel(
        mean,
        columns,
        tuple(map(float, centre)),
        tuple(map(float, spread)),
        tuple(map(float, coef)),
        middle + smear,
        low,
        high,
    )


def _nanmean(values: Floats, absent: Any) -> Floats:
    there = np.maximum((~absent).sum(axis=0), 1)
    mean: Floats = np.where(absent, 0.0, values).sum(axis=0) / there
    return mean


def _mean(fitter: Fitter, cohort: str, within: Slice, cap: float) -> float:
    """Of the cohort's purchases, shrunk to that of the division's."""
    own = _worths([fitter.frame], cohort, within, cap)
    overall = _worths([fitter.frame], JOINT, within, cap)
    if not len(overall):
        launch = [gp for day, gp in fitter.frame.launch if day in within.cutoffs]
        overall = _capped(np.array(launch), cap)
    if not len(overall):
        overall = _worths(fitter.pool.frames, JOINT, within, cap)
    total = own.sum() + PRIOR_PURCHASES * overall.mean()
    return float(total / (len(own) + PRIOR_PURCHASES))


def _worths(frames: Sequence[Frame], cohort: str, within: Slice, cap: float) -> Floats:
    found = []
    for frame in frames:
        rows = within.rows(frame, cohort)
        found.append(frame.gp[rows][frame.label[rows] > 0])
    return _capped(np.concatenate(found), cap)


def _capped(worth: Floats, cap: float) -> Floats:
    if not len(worth):
        return worth
    capped: Floats = np.minimum(worth, np.quantile(worth, cap))
    return capped
