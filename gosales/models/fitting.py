"""One candidate on one slice of a division: the division's own fits, and the pooled ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gosales.models.baselines import rule_base
from gosales.models.bases import Base, BlendBase, TreeBase
from gosales.models.candidates import RULE, Candidate
from gosales.models.frame import Floats, Frame, Singles
from gosales.models.guardrails import Screen, screen
from gosales.models.linear import FREE, Linear, Penalty, Standard, fit_linear, mean_of
from gosales.models.pool import Pool
from gosales.models.sample import Thinned, seed_of, thin, weigh
from gosales.models.slices import Slice
from gosales.models.trees import TreeRows, early_and_late, fit_trees

__all__ = ["Degenerate", "Fit", "Fitter"]

# With fewer buyers of its own than this, a fit of the division's own is the pooled one.
OWN_POSITIVES = 10


class Degenerate(Exception):
    """Every candidate gives everybody the same score."""


@dataclass(frozen=True)
class Fit:
    """A fitted base model and its columns' places in the frame."""

    base: Base
    columns: tuple[int, ...]

    def margin(self, x: Singles) -> Floats:
        return self.base.margin(np.ascontiguousarray(x[:, list(self.columns)]))


@dataclass
class Fitter:
    """A division's frame, the pool it belongs to, and the fits made so far."""

    frame: Frame
    pool: Pool
    _fits: dict[tuple[Candidate, str, Slice], Fit] = field(default_factory=dict)
    _linear: dict[tuple[str, Slice, Penalty], dict[str, Linear]] = field(default_factory=dict)
    _screens: dict[tuple[str, Slice], Screen] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: Frame, pool: Pool) -> Fitter:
        """The division's one fitter in the pool, so that whoever asks shares its fits."""
        return pool.once(("fitter", frame.division), lambda: cls(frame, pool))

    def fit(self, candidate: Candidate, cohort: str, within: Slice) -> Fit:
        """Raises Degenerate when there is nothing to learn from."""
        key = (candidate, cohort, within)
        if key not in self._fits:
            self._fits[key] = self._fit(candidate, cohort, within)
        return self._fits[key]

    def can(self, candidate: Candidate, cohort: str, within: Slice) -> bool:
        """Pooled trees cannot leave out a column that gives away this division's answer alone."""
        trees = any(part.kind == "lgbm" for part in (candidate, *candidate.parts))
        return not (trees and self._barred(cohort, within))

    def screened(self, cohort: str, within: Slice) -> Screen:
        """What the division's own rows say about its columns.

        With few buyers a column can rank them all by chance: then only its name can bar it.
        """
        key = (cohort, within)
        if key not in self._screens:
            rows, settings = self._thinned(cohort, within).rows, self.pool.settings
            label = self.frame.label[rows]
            sure = label.sum() >= settings.min_positives
            limit = settings.leakage_auc if sure else 1.0
            self._screens[key] = screen(self.frame.x[rows], label, self.frame.names, limit)
        return self._screens[key]

    def leaks(self, cohort: str, within: Slice) -> set[str]:
        """Columns that nothing may be learnt from: they give the answer away."""
        found = self.screened(cohort, within)
        return {*found.leak_by_name, *found.leak_by_auc}

    def _fit(self, candidate: Candidate, cohort: str, within: Slice) -> Fit:
        if candidate == RULE:
            return Fit(*rule_base(self.frame.names))
        if candidate.parts:
            return self._blend([self.fit(part, cohort, within) for part in candidate.parts])
        pooled = self.pool.rows(cohort, within)
        if pooled is None:
            raise Degenerate
        fit = self._trees if candidate.kind == "lgbm" else self._logreg
        return fit(candidate, cohort, within)

    def _blend(self, fits: list[Fit]) -> Fit:
        """All have the columns of the pool."""
        assert len({fit.columns for fit in fits}) == 1
        return Fit(BlendBase(tuple(fit.base for fit in fits)), fits[0].columns)

    def _columns(self, cohort: str, within: Slice) -> tuple[int, ...]:
        pooled = self.pool.rows(cohort, within)
        assert pooled is not None
        return tuple(self.frame.names.index(name) for name in pooled.columns)

    def _logreg(self, candidate: Candidate, cohort: str, within: Slice) -> Fit:
        params = dict(candidate.params)
        how = Penalty(params["C"], params["l1_ratio"])
        columns = self._columns(cohort, within)
        chosen = pooled = self._pooled(cohort, within, how)
        if candidate.pooling != "pooled" and self.pool.lends:
            key = (cohort, within, how)
            if key not in self._linear:
                self._linear[key] = self._linear_fits(cohort, within, how, pooled, columns)
            chosen = self._linear[key].get(candidate.pooling, pooled)
        base = chosen.base(how.c, how.l1_ratio, candidate.pooling)
        return Fit(base.without(self._barred(cohort, within)), columns)

    def _barred(self, cohort: str, within: Slice) -> list[int]:
        """Pooled columns that give this division's answer away, though not that of all."""
        pooled, leaks = self.pool.rows(cohort, within), self.leaks(cohort, within)
        names = () if pooled is None else pooled.columns
        return [place for place, name in enumerate(names) if name in leaks]

    def _pooled(self, cohort: str, within: Slice, how: Penalty) -> Linear:
        """The pooled fit at the division's level."""
        made = self.pool.linear(cohort, within, how)
        assert made is not None
        whole, levels = made
        level = float(levels[self.pool.number(self.frame)])
        return Linear(whole.standard, whole.coef, whole.intercept + level)

    def _linear_fits(
        self,
        cohort: str,
        within: Slice,
        how: Penalty,
        pooled: Linear,
        columns: tuple[int, ...],
    ) -> dict[str, Linear]:
        """By pooling, the fits that take the division's own rows; none where those are few."""
        thinned = self._thinned(cohort, within)
        label = self.frame.label[thinned.rows]
        if not OWN_POSITIVES <= label.sum() < len(label):
            return {}
        z = pooled.standard.apply(self.frame.x[np.ix_(thinned.rows, np.array(columns))])
        own = self._own(z, thinned, how, pooled.standard)
        partial = self._own(z, thinned, how, pooled.standard, pooled)
        return {"own": own, "partial": partial, "mean": mean_of([own, partial, pooled])}

    def _own(
        self,
        z: Floats,
        thinned: Thinned,
        how: Penalty,
        standard: Standard,
        prior: Linear | None = None,
    ) -> Linear:
        """The division's own coefficients; with a ``prior``, on top of a multiple of it."""
        label = self.frame.label[thinned.rows]
        weight, raised = weigh(label, thinned.weight, self.pool.settings.scale_pos_weight_cap)
        day = self.frame.day[thinned.rows]
        free = [((day[:, None] == np.unique(day)).astype(np.float64), FREE)]
        if prior is not None:
            free.append((prior.margin(z)[:, None], FREE))
        seed = seed_of(self.pool.seed, "own", self.frame.division)
        coef, found, intercept = fit_linear(z, label, weight, free, how, seed)
        intercept += float(np.average(found[0])) - raised
        if prior is None:
            return Linear(standard, coef, intercept)
        times = float(found[1][0])
        return Linear(standard, coef + times * prior.coef, intercept + times * prior.intercept)

    def _trees(self, candidate: Candidate, cohort: str, within: Slice) -> Fit:
        columns = self._columns(cohort, within)
        if candidate.pooling == "pooled":
            pooled = self.pool.trees(cohort, within, candidate)
            assert pooled is not None
            number = self.pool.number(self.frame)
            return Fit(TreeBase(pooled.text, pooled.log_weight, number), columns)
        thinned = self._thinned(cohort, within)
        rows, frame = thinned.rows, self.frame
        label = frame.label[rows]
        if not OWN_POSITIVES <= label.sum() < len(label):
            raise Degenerate
        weight, raised = weigh(label, thinned.weight, self.pool.settings.scale_pos_weight_cap)
        early, late = early_and_late(frame.day[rows], frame.draw[rows], frame.window_months)
        sample = TreeRows(
            tuple(frame.names[place] for place in columns),
            np.ascontiguousarray(frame.x[np.ix_(rows, np.array(columns))]),
            label,
            weight,
            early,
            late,
        )
        seed = seed_of(self.pool.seed, "trees", frame.division, cohort)
        text = fit_trees(dict(candidate.params), sample, self.pool.settings.lgbm_rounds, seed)
        return Fit(TreeBase(text, raised), columns)

    def _thinned(self, cohort: str, within: Slice) -> Thinned:
        rows = within.rows(self.frame, cohort)
        seed = seed_of(self.pool.seed, "own", self.frame.division, cohort, within.key())
        return thin(rows, self.frame.label[rows], self.pool.settings.own_rows, seed)
