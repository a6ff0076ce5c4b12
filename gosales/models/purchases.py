"""What a purchase is worth, learnt from all divisions together.

A division's mean purchase is shrunk, on the log scale, towards that of a typical division, and
the cohort's towards the division's at the usual ratio; so three first purchases do not make a
forecast. What tells dear purchases from cheap ones is a gamma regression with a log link
(McCullagh and Nelder 1989) of worth over that mean, on the customer's size and habits, with a
level for each cutoff. As with the odds, the level of the window to come is forecast from those
of the newest window and of the same one a year before.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gosales.models.bases import squash
from gosales.models.fitting import Fitter
from gosales.models.frame import Bools, Floats, Frame, Ints, Singles
from gosales.models.level import Line
from gosales.models.pool import Pool
from gosales.models.sample import seed_of, thin
from gosales.models.slices import JOINT, Slice, cohort_rows

__all__ = ["ValueModel", "capped", "pooled_value"]

# What others' means say weighs as much as this many purchases: little of a division's mean, for
# divisions differ far more than purchases do, and more of a cohort's ratio to it.
DIVISION_PRIOR, COHORT_PRIOR = 2.0, 20.0
# No division's purchases count for more than this many in what is typical.
MOST_PURCHASES = 50.0
FEWEST_PURCHASES = 60
# Penalties, in purchases of mean worth: of a standardised feature, of a cutoff's level.
RIDGE, LEVEL_RIDGE = 400.0, 10.0
FEATURES = (
    *(
        f"rfm__{scope}__{measure}__{window}"
        for scope in ("all", "div")
        for measure, window in (
            ("gp_mean", "life"), ("gp_mean", "12m"), ("gp_sum", "12m"), ("tx_n", "12m"),
        )
    ),
    "rfm__all__gp_sum__3m",
    "rfm__all__gp_sum__life",
    "rfm__all__recency_days__life",
    "lifecycle__all__tenure_days__life",
    "lifecycle__all__gap_days_mean__life",
    "diversity__all__divisions_n__12m",
    "diversity__all__skus_n__12m",
    "returns__all__rate__12m",
    "affinity__div__lift_max__24m",
)  # fmt: skip


@dataclass(frozen=True)
class ValueModel:
    """``mean`` alone, or the exponential of a line in features, within ``low`` and
    ``high``.

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

    def scaled(self, factor: float) -> ValueModel:
        """Worth times the factor."""
        return replace(
            self,
            mean=factor * self.mean,
            intercept=self.intercept + math.log(factor),
            low=factor * self.low,
            high=factor * self.high,
        )

    def native(self) -> dict[str, Any]:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_native(cls, native: dict[str, Any]) -> ValueModel:
        fields: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in native.items()
        }
        return cls(**fields)


@dataclass(frozen=True)
class Purchases:
    """Those of all divisions in a slice: features (names), capped worth, and whose they are.

    ``mean``: a division's mean purchase in the cohort, shrunk; ``typical``: that of a division
    of which nothing is known.
    """

    names: tuple[str, ...]
    z: Floats
    worth: Floats
    division: Ints
    day: Ints
    mean: Floats
    typical: float


def pooled_value(fitter: Fitter, cohort: str, within: Slice, target: dt.date) -> ValueModel:
    """Learnt from the cohort's purchases in the slice, for scores at ``target``.

    A division without a purchase takes the mean of those at its launch, shrunk, if it has any.
    """
    pool, frame = fitter.pool, fitter.frame
    made = pool.once(("worth", cohort, within), lambda: _purchases(pool, cohort, within))
    number = pool.number(frame)
    if number < len(made.mean):
        mean = float(made.mean[number])
    else:
        launch = [gp for day, gp in frame.launch if day in within.cutoffs]
        worth = capped(np.array(launch), pool.settings.value_cap_quantile)
        mean = float(
            _shrunk(np.array(worth.sum()), np.array(len(worth)), made.typical, DIVISION_PRIOR)
        )
    if len(made.worth) < FEWEST_PURCHASES or not made.names:
        return ValueModel(mean)
    line = pool.once(
        ("worth line", cohort, within, target), lambda: _line(made, target, frame.window_months)
    )
    return _of_division(line, made, frame, number, mean, fitter.leaks(cohort, within))


def _of_division(
    line: ValueModel, made: Purchases, frame: Frame, number: int, mean: float, leaks: Set[str]
) -> ValueModel:
    """The line at the division's mean, without what gives this division's answers away."""
    own = made.worth[made.division == number]
    kept = [place for place, name in enumerate(made.names) if name not in leaks]
    return replace(
        line,
        mean=mean,
        columns=tuple(frame.names.index(made.names[place]) for place in kept),
        centre=tuple(line.centre[place] for place in kept),
        spread=tuple(line.spread[place] for place in kept),
        coef=tuple(line.coef[place] for place in kept),
        intercept=line.intercept + math.log(mean),
        high=float(max(own.max(), mean)) if len(own) else mean * line.high,
    )


def _purchases(pool: Pool, cohort: str, within: Slice) -> Purchases:
    settings, frames = pool.settings, pool.teachers
    rows, worths = [], []
    for frame in frames:
        bought = within.rows(frame, JOINT)
        bought = bought[frame.label[bought] > 0]
        seed = seed_of(pool.seed, "value", frame.division)
        rows.append(thin(bought, frame.label[bought], settings.own_rows, seed).rows)
        worths.append(capped(frame.gp[rows[-1]], settings.value_cap_quantile))
    mine = [cohort_rows(cohort, f.owned[at]) for f, at in zip(frames, rows, strict=True)]
    mean, typical = _means(worths, mine)
    kept = [at[own] for at, own in zip(rows, mine, strict=True)]
    names = tuple(n for n in FEATURES if frames and all(n in f.names for f in frames))
    return Purchases(
        names,
        np.vstack([_wide(f, at, names) for f, at in zip(frames, kept, strict=True)]),
        np.concatenate([worth[own] for worth, own in zip(worths, mine, strict=True)]),
        np.repeat(np.arange(len(frames)), [len(at) for at in kept]),
        np.concatenate([f.day[at] for f, at in zip(frames, kept, strict=True)]),
        mean,
        typical,
    )


def _wide(frame: Frame, rows: Ints, names: Sequence[str]) -> Floats:
    places = np.array([frame.names.index(name) for name in names], dtype=np.int64)
    squashed: Floats = squash(frame.x[np.ix_(rows, places)])
    return squashed


def _means(worths: Sequence[Floats], mine: Sequence[Bools]) -> tuple[Floats, float]:
    """Each division's mean purchase in the cohort, shrunk, and a typical division's."""
    count = np.array([len(worth) for worth in worths], dtype=float)
    total = np.array([worth.sum() for worth in worths])
    own_count = np.array([own.sum() for own in mine], dtype=float)
    own_total = np.array([worth[own].sum() for worth, own in zip(worths, mine, strict=True)])
    overall = _typical(total, count, np.ones(len(total)))
    whole = _shrunk(total, count, overall, DIVISION_PRIOR)
    ratio = _typical(own_total, own_count, whole)
    return _shrunk(own_total, own_count, whole * ratio, COHORT_PRIOR), overall * ratio


def _typical(total: Floats, count: Floats, base: Floats) -> float:
    """The geometric mean of mean purchases over a base: one dear division does not make it."""
    known = (count > 0) & (total > 0)
    if not known.any():
        return 1.0
    logs = np.log(total[known] / count[known] / base[known])
    return float(np.exp(np.average(logs, weights=np.minimum(count[known], MOST_PURCHASES))))


def _shrunk(total: Floats, count: Floats, towards: Floats | float, prior: float) -> Floats:
    """Means, on the log scale between their own and another that counts for ``prior``."""
    own = np.log(np.maximum(total, 1e-6) / np.maximum(count, 1.0))
    shrunk: Floats = np.exp((count * own + prior * np.log(towards)) / (count + prior))
    return shrunk


def _line(made: Purchases, target: dt.date, window_months: int) -> ValueModel:
    """Worth over the division's mean as a line in its logarithm; ``high`` likewise a multiple."""
    from sklearn.linear_model import GammaRegressor

    absent = np.isnan(made.z)
    # A feature that is null for all stands at nothing.
    centre = np.where(absent, 0.0, made.z).sum(axis=0) / np.maximum((~absent).sum(axis=0), 1)
    z = np.where(absent, 0.0, made.z - centre)
    spread = np.sqrt(np.mean(z**2, axis=0))
    spread[spread < 1e-9] = 1.0
    z = np.clip(z / spread, -5, 5)
    days, place = np.unique(made.day, return_inverse=True)
    at_cutoff = np.eye(len(days))[place]
    # One penalty for all in the library: so columns are scaled by what theirs should be.
    scale = np.sqrt(np.r_[np.full(len(days), LEVEL_RIDGE), np.full(z.shape[1], RIDGE)])
    ratio = np.maximum(made.worth, 1e-6) / made.mean[made.division]
    model = GammaRegressor(alpha=1 / len(ratio), solver="newton-cholesky", max_iter=100)
    model.fit(np.hstack([at_cutoff, z]) / scale, ratio)
    coef = model.coef_ / scale
    level = Line(1.0, days, coef[: len(days)]).forecast(target, window_months)
    return ValueModel(
        mean=1.0,
        centre=tuple(map(float, centre)),
        spread=tuple(map(float, spread)),
        coef=tuple(map(float, coef[len(days) :])),
        intercept=float(model.intercept_) + level,
        high=float(ratio.max()),
    )


def capped(worth: Floats, cap: float) -> Floats:
    """At most the quantile ``cap`` of them."""
    if not len(worth):
        return worth
    under: Floats = np.minimum(worth, np.quantile(worth, cap))
    return under
