"""Models pooled over all divisions: what small and new divisions borrow from.

Every division's matrix has the same columns for the same things (the customer, the target
division), so one logistic regression with a level of its own for each division, and one
LightGBM with the division as a category, learn from all buyers of all divisions. Fits are made
once per cohort and slice, and shared by the divisions that are trained side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from gosales.models.bases import TreeBase
from gosales.models.candidates import Candidate
from gosales.models.frame import Floats, Frame, Ints, Singles
from gosales.models.guardrails import screen
from gosales.models.lately import Lately
from gosales.models.linear import FREE, Linear, Penalty, Standard, fit_linear
from gosales.models.sample import seed_of, thin, weigh
from gosales.models.slices import Slice
from gosales.models.trees import TreeRows, early_and_late, fit_trees
from gosales.settings import ModelingSettings

__all__ = ["Pool", "PooledRows"]

T = TypeVar("T")
# A division's own level is shrunk as if this many buyers spoke for the pooled one.
LEVEL_PENALTY = 1.0


@dataclass(frozen=True)
class PooledRows:
    """Rows of all divisions at a slice, the columns that all divisions have and can use."""

    columns: tuple[str, ...]
    x: Singles
    label: Floats
    weight: Floats
    division: Ints
    cutoff: Ints
    draw: Floats
    standard: Standard


@dataclass
class Pool:
    """The frames of the divisions that learn together, and the fits made on them so far.

    ``lately``: how first purchases moved by each day that a level may be forecast for.
    """

    frames: Sequence[Frame]
    settings: ModelingSettings
    seed: int
    lately: Lately = field(default_factory=dict)
    _made: dict[Any, Any] = field(default_factory=dict)
    _locks: dict[Any, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def lends(self) -> bool:
        """Whether there is any other division to borrow from."""
        return len(self.frames) > 1

    def can_lend(self, cohort: str, within: Slice) -> bool:
        """Whether anything can be learnt from the slice."""
        return self.rows(cohort, within) is not None

    @property
    def teachers(self) -> list[Frame]:
        """The frames that have rows: a division launched lately changes no other's model."""
        return [frame for frame in self.frames if len(frame.label)]

    def number(self, frame: Frame) -> int:
        """The place of a frame's division among the teachers; past them for one without rows."""
        names = [one.division for one in self.teachers]
        return names.index(frame.division) if frame.division in names else len(names)

    def rows(self, cohort: str, within: Slice) -> PooledRows | None:
        """None when the slice holds no buyer, or nobody but buyers."""
        return self.once(("rows", cohort, within), lambda: self._gather(cohort, within))

    def linear(self, cohort: str, within: Slice, how: Penalty) -> tuple[Linear, Floats] | None:
        """The pooled logistic regression, and the level of each division beside it."""
        return self.once(
            ("linear", cohort, within, how), lambda: self._fit_linear(cohort, within, how)
        )

    def trees(self, cohort: str, within: Slice, candidate: Candidate) -> TreeBase | None:
        """Pooled trees; ``division`` is still to be set."""
        return self.once(
            ("trees", cohort, within, candidate),
            lambda: self._fit_trees(cohort, within, candidate),
        )

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` makes, made by whoever asks first; the others wait for it."""
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            made: T = self._made[key]
            return made

    def _gather(self, cohort: str, within: Slice) -> PooledRows | None:
        names = _common(self.frames)
        frames = self.teachers
        if not frames:
            return None
        share = [within.rows(frame, cohort) for frame in frames]
        total = sum(map(len, share))
        parts = []
        for number, (frame, rows) in enumerate(zip(frames, share, strict=True)):
            most = max(50, self.settings.pool_rows * len(rows) // max(total, 1))
            seed = seed_of(self.seed, "pool", frame.division, cohort, within.key())
            thinned = thin(rows, frame.label[rows], most, seed)
            places = np.array([frame.names.index(name) for name in names], dtype=np.int64)
            chosen = thinned.rows
            parts.append(
                {
                    "x": frame.x[np.ix_(chosen, places)],
                    "label": frame.label[chosen],
                    "weight": thinned.weight,
                    "division": np.full(len(chosen), number, dtype=np.int64),
                    "cutoff": frame.day[chosen],
                    "draw": frame.draw[chosen],
                }
            )
        whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        if not 0 < whole["label"].sum() < len(whole["label"]):
            return None
        keep = screen(whole["x"], whole["label"], names, self.settings.leakage_auc).keep
        if not len(keep):
            return None
        whole["x"] = np.ascontiguousarray(whole["x"][:, keep])
        columns = tuple(names[place] for place in keep)
        return PooledRows(columns=columns, standard=Standard.of(whole["x"]), **whole)

    def _fit_linear(self, cohort: str, within: Slice, how: Penalty) -> tuple[Linear, Floats] | None:
        rows = self.rows(cohort, within)
        if rows is None:
            return None
        weight, raised = weigh(rows.label, rows.weight, self.settings.scale_pos_weight_cap)
        # One level more, of no rows: that of a division that is not among them, the mean one.
        levels = np.eye(len(self.teachers) + 1)[rows.division]
        cutoffs = (rows.cutoff[:, None] == np.unique(rows.cutoff)).astype(np.float64)
        seed = seed_of(self.seed, "linear", cohort)
        coef, (level, when), intercept = fit_linear(
            rows.standard.apply(rows.x),
            rows.label,
            weight,
            [(levels, LEVEL_PENALTY), (cutoffs, FREE)],
            how,
            seed,
        )
        # The mean level of the cutoffs stands in for the next one's, until it is forecast.
        middle = float(np.average(when)) - raised
        return Linear(rows.standard, coef, intercept + middle), level

    def _fit_trees(self, cohort: str, within: Slice, candidate: Candidate) -> TreeBase | None:
        rows = self.rows(cohort, within)
        if rows is None:
            return None
        weight, raised = weigh(rows.label, rows.weight, self.settings.scale_pos_weight_cap)
        early, late = early_and_late(rows.cutoff, rows.draw, self.frames[0].window_months)
        number = rows.division[:, None].astype(np.float32)
        text = fit_trees(
            dict(candidate.params),
            TreeRows(
                (*rows.columns, "division"),
                np.hstack([rows.x, number]),
                rows.label,
                weight,
                early,
                late,
                categories=(rows.x.shape[1],),
            ),
            self.settings.lgbm_rounds,
            seed_of(self.seed, "trees", cohort),
        )
        return TreeBase(text, raised)


def _common(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Columns of every frame that mean the same in each: not those about a named division."""
    shared = set(frames[0].names).intersection(*(frame.names for frame in frames[1:]))
    alike = ("all", "div") if len(frames) > 1 else None
    return tuple(
        name
        for name in frames[0].names
        if name in shared and (alike is None or _scope(name) in alike)
    )


def _scope(name: str) -> str:
    parts = name.split("__")
    return parts[1] if len(parts) > 2 else ""
