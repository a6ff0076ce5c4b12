"""Making the pooled fits that every division will ask for, side by side and beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gosales.models.candidates import grid
from gosales.models.division import division_rules
from gosales.models.linear import Penalty
from gosales.models.pool import Pool
from gosales.models.protocol import temporal_folds
from gosales.models.slices import NEVER_OWNED, OWNED, Slice

__all__ = ["prefetch"]


def prefetch(pool: Pool, models: Sequence[str], threads: int) -> None:
    """The pooled fits of both cohorts on all cutoffs, and on those known at each judged one."""
    frame = pool.frames[0]
    whole = Slice(frame.cutoffs)
    folds = temporal_folds(whole, division_rules(frame, pool))
    slices = list(dict.fromkeys([whole, *(fold.train for fold in reversed(folds))]))
    wanted = [
        make
        for within in slices
        for cohort in (OWNED, NEVER_OWNED)
        for make in _fits(pool, models, cohort, within)
    ]
    with ThreadPoolExecutor(threads) as workers:
        list(workers.map(lambda make: make(), wanted))


def _fits(pool: Pool, models: Sequence[str], cohort: str, within: Slice) -> list[Callable[[], Any]]:
    makes: list[Callable[[], Any]] = []
    for candidate in grid(models, pool.settings, pool.lends):
        params = dict(candidate.params)
        if candidate.kind == "lgbm" and candidate.pooling == "pooled":
            makes.append(partial(pool.trees, cohort, within, candidate))
        elif candidate.kind == "logreg":
            how = Penalty(params["C"], params["l1_ratio"])
            makes.append(partial(pool.linear, cohort, within, how))
    return makes
