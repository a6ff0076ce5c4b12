"""LightGBM, deterministic: the same trees for the same rows and seed, on any machine load.

The number of trees is found by early stopping on a later cutoff, fitted on the cutoffs whose
window had closed by it; where there is none, on customers held apart. Then all rows are fitted
with that number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gosales.features.catalog import rises
from gosales.models.frame import Bools, Floats, Ints, Singles
from gosales.models.slices import closed_by

__all__ = ["TreeRows", "early_and_late", "fit_trees"]

STOP_AFTER = 20
STOP_SHARE = 0.2
# Fewest positives on either side for early stopping to mean something.
STOP_POSITIVES = 10
FEWEST, WITHOUT_STOPPING = 10, 60


@dataclass(frozen=True)
class TreeRows:
    """Rows to fit on, by the names of their columns.

    ``early`` and ``late`` say which may find the number of trees.
    """

    names: tuple[str, ...]
    x: Singles
    label: Floats
    weight: Floats
    early: Bools
    late: Bools
    categories: tuple[int, ...] = ()

    def can_stop(self) -> bool:
        return all(
            STOP_POSITIVES <= self.label[part].sum() < part.sum()
            for part in (self.early, self.late)
        )

    def binned(self, params: Mapping[str, Any]) -> Any:
        """All rows, in the bins that every part of them shares."""
        import lightgbm

        return lightgbm.Dataset(
            self.x,
            self.label,
            weight=self.weight,
            categorical_feature=list(self.categories),
            params=dict(params),
        )


def fit_trees(params: Mapping[str, float], rows: TreeRows, rounds: int, seed: int) -> str:
    """The booster in LightGBM's text form."""
    import lightgbm

    settings = {
        "max_bin": 63,
        # Rows that the bins are found on: all of them would take longer and tell no more.
        "bin_construct_sample_cnt": 10_000,
        "min_data_per_group": 50,
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": int(params["num_leaves"]),
        "learning_rate": float(params["learning_rate"]),
        "min_data_in_leaf": int(params["min_child_samples"]),
        "feature_fraction": float(params["feature_fraction"]),
        "lambda_l2": 10.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    if params.get("monotone"):
        settings["monotone_constraints"] = [int(rises(name)) for name in rows.names]
    whole = rows.binned(settings)
    best = min(rounds, WITHOUT_STOPPING)
    if rows.can_stop():
        early, late = (whole.subset(np.flatnonzero(part)) for part in (rows.early, rows.late))
        stop = lightgbm.early_stopping(STOP_AFTER, verbose=False)
        found = lightgbm.train(settings, early, rounds, valid_sets=[late], callbacks=[stop])
        best = max(FEWEST, found.best_iteration)
    booster = lightgbm.train(settings, whole, num_boost_round=best)
    return str(booster.model_to_string())


def early_and_late(cutoff: Ints, draw: Floats, window_months: int) -> tuple[Bools, Bools]:
    """The rows that find the number of trees: (fitted on, stopped on).

    ``cutoff`` holds ordinal days. The newest cutoff stops a fit on those closed by it; where
    none is, a fifth of the customers stops a fit on the others.
    """
    newest = dt.date.fromordinal(int(cutoff.max()))
    days = [dt.date.fromordinal(int(day)) for day in np.unique(cutoff)]
    closed = [day.toordinal() for day in closed_by(days, newest, window_months)]
    if closed:
        return np.isin(cutoff, closed), cutoff == newest.toordinal()
    held = np.mod(draw * 104729.0, 1.0) < STOP_SHARE
    return ~held, held
