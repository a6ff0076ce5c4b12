"""What a purchase is worth: the second part of probability times value.

Worth is what a buyer brings in a label window, capped at a quantile. Its logarithm is a ridge
regression on what the customer's orders were worth so far; the result is scaled so that buyers'
values add up to what they brought (Duan 1983 calls such a factor smearing). Those who never
bought in the division have no habits there to learn from: their purchases are worth what those
of all divisions say (``purchases``). So are others' where they are few, or where the regression
does not come closer on customers that it has not seen.

What great deals bring beyond the cap is no habit of anybody, yet it comes: it is spread over all
owners of all divisions by one factor. First purchases stay capped, and so does what serves both.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from gosales.models.bases import squash
from gosales.models.fitting import Fitter
from gosales.models.frame import Floats, Frame, Ints
from gosales.models.pool import Pool
from gosales.models.purchases import ValueModel, capped, pooled_value
from gosales.models.sample import seed_of, thin
from gosales.models.slices import NEVER_OWNED, OWNED, Slice, fold_of

__all__ = ["TENURE", "ValueModel", "fit_value"]

FEWEST_PURCHASES = 60
RIDGE = 30.0
# In that factor, a purchase counts for no more than so many times the cap.
FAR = 5.0
FOLDS = 5
TENURE = "lifecycle__all__tenure_days__life"
# The windows that habits are looked for in, longest first, and the days they need before them.
WINDOWS = (("12m", 360), ("6m", 180), ("3m", 0))


def fit_value(fitter: Fitter, cohort: str, within: Slice, target: dt.date) -> ValueModel:
    """Learnt from the cohort's purchases in the slice, for scores at ``target``."""
    model = _under_the_cap(fitter, cohort, within, target)
    if cohort != OWNED:
        return model
    pool = fitter.pool
    return model.scaled(
        pool.once(("beyond the cap", cohort, within), lambda: _beyond_the_cap(pool, cohort, within))
    )


def _beyond_the_cap(pool: Pool, cohort: str, within: Slice) -> float:
    """What the cohort's purchases in all divisions brought, over what they brought capped."""
    brought = under = 0.0
    for frame in pool.teachers:
        rows = within.rows(frame, cohort)
        gp = frame.gp[rows[frame.label[rows] > 0]]
        if len(gp):
            cap = np.quantile(gp, pool.settings.value_cap_quantile)
            brought += float(np.minimum(gp, FAR * cap).sum())
            under += float(np.minimum(gp, cap).sum())
    return brought / under if under > 0 else 1.0


def _under_the_cap(fitter: Fitter, cohort: str, within: Slice, target: dt.date) -> ValueModel:
    frame, settings = fitter.frame, fitter.pool.settings
    pooled = pooled_value(fitter, cohort, within, target)
    rows = within.rows(frame, cohort)
    rows = rows[frame.label[rows] > 0]
    usable = set(frame.names) - fitter.leaks(cohort, within)
    columns = tuple(frame.names.index(name) for name in _habits(frame, within) if name in usable)
    if cohort == NEVER_OWNED or len(rows) < FEWEST_PURCHASES or not columns:
        return pooled
    seed = seed_of(fitter.pool.seed, "value", frame.division, cohort)
    rows = thin(rows, frame.label[rows], settings.own_rows, seed).rows
    worth = capped(frame.gp[rows], settings.value_cap_quantile)
    fold = fold_of(frame.draw[rows], seed % 1000, FOLDS)
    errors = np.zeros(2)
    for number in np.unique(fold):
        out = fold == number
        if not 2 <= out.sum() < len(out) - 2:
            continue
        model = _regress(frame, rows[~out], worth[~out], columns, pooled.mean)
        for place, one in enumerate((model, pooled)):
            errors[place] += np.sum((one.worth(frame.x[rows[out]]) - worth[out]) ** 2)
    if errors[0] >= errors[1]:
        return pooled
    return _regress(frame, rows, worth, columns, pooled.mean)


def _habits(frame: Frame, within: Slice) -> list[str]:
    """The features: over the longest window that the log had covered at the first cutoff.

    What a longer one sums up grows as the log gets older, and a line in it would foretell ever
    more.
    """
    known = float(WINDOWS[0][1])
    if TENURE in frame.names and frame.cutoffs:
        oldest = frame.cutoffs.index(min(within.cutoffs))
        tenure = frame.x[frame.cutoff == oldest, frame.names.index(TENURE)]
        known = float(np.nanmax(tenure, initial=0.0, where=~np.isnan(tenure)))
    window = next(name for name, days in WINDOWS if known >= days)
    parts = (("gp_mean", "life"), ("gp_mean", window), ("gp_sum", window), ("tx_n", window))
    return [f"rfm__{scope}__{measure}__{w}" for scope in ("all", "div") for measure, w in parts]


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
