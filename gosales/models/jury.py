"""The rows that judge candidates: scored by models that have not seen them.

Usually the division's own rows in the inner folds of a slice. Where those are too few, as in a
division sold only lately, the rows of all divisions judge the models that it borrows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gosales.models.bases import mean_margin
from gosales.models.calibrate import Evidence
from gosales.models.candidates import Candidate
from gosales.models.choice import Ballot, Trial
from gosales.models.evaluate import Ranking, measure
from gosales.models.fitting import Fit, Fitter
from gosales.models.frame import Floats, Ints
from gosales.models.lead import auc_influence
from gosales.models.pool import Pool
from gosales.models.protocol import Fold, Rules, calibration_fold, inner_folds
from gosales.models.slices import Slice

__all__ = ["Jury", "own_jury", "pooled_jury"]

# Rows of a fold that tell how far its model's level is from that of the whole one.
LEVEL_ROWS = 2000
# What a trial tells.
FIGURES = ("lift_at_10", "brier", "auc")


@dataclass(frozen=True)
class Sitting:
    """One fold of one division: its model scores these rows of the frame."""

    fitter: Fitter
    fold: Fold
    rows: Ints

    @property
    def division(self) -> str:
        return self.fitter.frame.division

    def fitted(self, candidate: Candidate, cohort: str) -> Fit:
        return self.fitter.fit(candidate, cohort, self.fold.train)


@dataclass
class Jury:
    """``kind`` is how the folds were cut (see ``protocol``); ballot and folds have a row each.

    ``own``: the rows are the division's own.
    """

    kind: str
    cohort: str
    sittings: tuple[Sitting, ...]
    ballot: Ballot
    fold: Ints
    own: bool
    rules: Rules
    _margins: dict[Candidate, Floats] = field(default_factory=dict)
    _gaps: dict[Candidate, float] = field(default_factory=dict)

    @property
    def folds(self) -> int:
        """Parts of the rows that a model is fitted for."""
        return len(self._tests())

    def newest(self, folds: int) -> Jury:
        """The last of its folds, sitting alone."""
        last = self._tests()[-folds:]
        pairs = [(one.fitter, one.fold) for one in self.sittings if one.fold.test in last]
        part = _sit(self.kind, self.cohort, pairs, self.rules, self.own)
        assert part is not None
        return part

    def _tests(self) -> list[Slice]:
        tests = dict.fromkeys(one.fold.test for one in self.sittings)
        return sorted(tests, key=lambda test: (test.cutoffs, test.key()))

    def trial(self, candidate: Candidate) -> Trial:
        """How the candidate does on every row."""
        return _trial(candidate, self.ballot, self.margin(candidate))

    def margin(self, candidate: Candidate) -> Floats:
        """Its log-odds of every row, by models that have not seen them."""
        if candidate not in self._margins:
            self._margins[candidate] = self._margin(candidate)
        return self._margins[candidate]

    def _margin(self, candidate: Candidate) -> Floats:
        if candidate.parts:
            return mean_margin([self.margin(part) for part in candidate.parts])
        fits = [one.fitted(candidate, self.cohort) for one in self.sittings]
        rows = [one.fitter.frame.x[one.rows] for one in self.sittings]
        return np.concatenate([fit.margin(x) for fit, x in zip(fits, rows, strict=True)])

    def gap(self, candidate: Candidate) -> float:
        """How far the AUC falls from rows that were fitted to those that were not."""
        if candidate not in self._gaps:
            gaps = [
                _gap(one, one.fitted(candidate, self.cohort), self.cohort, unseen)
                for one, unseen in self._unseen(candidate)
            ]
            self._gaps[candidate] = float(np.mean(gaps))
        return self._gaps[candidate]

    def evidence(self, candidate: Candidate, within: Slice) -> Evidence:
        """The rows at the level of the candidate as fitted on the whole slice.

        A fold's model knew fewer cutoffs, so its log-odds lie higher or lower as a whole; what
        is learnt of the level must hold for the model that ships.
        """
        parts = []
        for one, unseen in self._unseen(candidate):
            whole = one.fitter.fit(candidate, self.cohort, within)
            some = slice(None, None, max(1, len(unseen) // LEVEL_ROWS))
            shift = whole.margin(one.fitter.frame.x[one.rows[some]]) - unseen[some]
            parts.append(unseen + shift.mean())
        return Evidence(np.concatenate(parts), self.ballot.label, self.ballot.day, self.fold)

    def _unseen(self, candidate: Candidate) -> Iterator[tuple[Sitting, Floats]]:
        """Each sitting with the candidate's log-odds of its rows."""
        ends = np.cumsum([len(one.rows) for one in self.sittings])[:-1]
        return zip(self.sittings, np.split(self.margin(candidate), ends), strict=True)

    def can(self, candidate: Candidate, within: Slice) -> bool:
        slices = {within, *(one.fold.train for one in self.sittings)}
        return all(self.sittings[0].fitter.can(candidate, self.cohort, one) for one in slices)


def own_jury(fitter: Fitter, cohort: str, within: Slice, rules: Rules) -> Jury | None:
    """The division's own; None when its rows are too few."""
    kind, folds = inner_folds(fitter.frame, cohort, within, rules)
    return _sit(kind, cohort, [(fitter, fold) for fold in folds], rules, own=True)


def pooled_jury(fitter: Fitter, cohort: str, within: Slice, rules: Rules) -> Jury | None:
    """That of every division whose rows are enough; the same for all that ask."""
    return fitter.pool.once(
        ("jury", cohort, within), lambda: _pooled_jury(fitter.pool, cohort, within, rules)
    )


def _pooled_jury(pool: Pool, cohort: str, within: Slice, rules: Rules) -> Jury | None:
    pairs: list[tuple[Fitter, Fold]] = []
    kinds = set()
    for frame in pool.frames:
        kind, folds = inner_folds(frame, cohort, within, rules)
        if folds:
            kinds.add(kind)
            pairs += [(Fitter.of(frame, pool), fold) for fold in folds]
    kind = "customer" if "customer" in kinds else "temporal"
    return _sit(kind, cohort, pairs, rules, own=False)


def _sit(
    kind: str, cohort: str, pairs: Sequence[tuple[Fitter, Fold]], rules: Rules, own: bool
) -> Jury | None:
    sittings = tuple(Sitting(f, fold, fold.test.rows(f.frame, cohort)) for f, fold in pairs)
    if not sittings:
        return None

    def all_of(name: str) -> Floats:
        return np.concatenate([getattr(one.fitter.frame, name)[one.rows] for one in sittings])

    numbers = {name: n for n, name in enumerate(dict.fromkeys(one.division for one in sittings))}
    ballot = Ballot(
        all_of("label"),
        all_of("gp"),
        all_of("day").astype(np.int64),
        np.repeat([numbers[one.division] for one in sittings], [len(one.rows) for one in sittings]),
        all_of("draw"),
    )
    fold = np.concatenate([calibration_fold(one.fitter.frame, one.rows, rules) for one in sittings])
    return Jury(kind, cohort, sittings, ballot, fold, own, rules)


def _trial(candidate: Candidate, ballot: Ballot, margin: Floats) -> Trial:
    """Figures by cutoff, means over divisions; the Brier score is that at each one's own level."""
    p = ballot.levelled(margin)
    found: dict[str, list[list[float]]] = {}
    for day, at in ballot.parts():
        label = ballot.label[at]
        figures = measure(Ranking.of(p[at], label, ballot.gp[at], float(label.mean())))
        found.setdefault(str(day), []).append([float(figures[name][0]) for name in FIGURES])
    means = {day: np.mean(rows, axis=0) for day, rows in sorted(found.items())}
    rows = tuple(
        {"cutoff": day} | dict(zip(FIGURES, map(float, mean), strict=True))
        for day, mean in means.items()
    )
    lift, brier, auc = (float(value) for value in np.mean(list(means.values()), axis=0))
    return Trial(candidate, lift, brier, auc, rows, bool(np.ptp(margin) < 1e-9))


def _gap(sitting: Sitting, fitted: Fit, cohort: str, unseen: Floats) -> float:
    """AUC on the fold's training rows less its AUC on the rows it did not see."""
    frame = sitting.fitter.frame
    train = sitting.fold.train.rows(frame, cohort)
    some = train[:: max(1, len(train) // 2000)]
    if not 0 < frame.label[some].sum() < len(some):
        return 0.0
    inside, _ = auc_influence(fitted.margin(frame.x[some]), frame.label[some])
    outside, _ = auc_influence(unseen, frame.label[sitting.rows])
    return inside - outside
