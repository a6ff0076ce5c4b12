"""Fitting a head the honest way: select, calibrate, refit, all within the rows given.

``Trainer.fit_head`` is the whole procedure. The protocol runs it on the rows known at each
reported cutoff to judge it, and once on all rows to ship it. Fits that both need are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gosales.models.bases import Base
from gosales.models.calibrate import choose_calibrator, customer_mask, folds_of, sigmoid
from gosales.models.candidates import STOP_SHARE, Candidate, Sample, fit
from gosales.models.classifier import Head
from gosales.models.evaluate import Ranking, measure
from gosales.models.frame import Floats, Frame, Ints
from gosales.models.guardrails import Screen, screen
from gosales.models.protocol import INNER_FOLDS, inner_folds, inner_of
from gosales.settings import ModelingSettings

__all__ = ["Degenerate", "FittedHead", "Trainer", "Trial"]

# Mean lifts closer than this many standard errors are a tie, which the Brier score decides.
TIE_ERRORS = 1.0


class Degenerate(Exception):
    """Every candidate gives everybody the same score."""


@dataclass(frozen=True)
class Trial:
    """How one candidate did on the inner folds; ``by_cutoff`` has a row a judged cutoff."""

    candidate: Candidate
    lift_at_10: float
    brier: float
    auc: float
    by_cutoff: tuple[dict[str, float | str], ...]
    degenerate: bool
    gap: float

    def row(self) -> dict[str, object]:
        return {
            "candidate": self.candidate.name,
            "model": self.candidate.kind,
            "lift_at_10": self.lift_at_10,
            "brier": self.brier,
            "auc": self.auc,
            "degenerate": self.degenerate,
            "cutoffs": list(self.by_cutoff),
        }


@dataclass(frozen=True)
class FittedHead:
    """A head and how it came about."""

    head: Head
    candidate: Candidate
    trials: tuple[Trial, ...]
    inner_kind: str
    calibration_briers: dict[str, float]
    screened: Screen
    overfit_gap: float


@dataclass
class Trainer:
    """One division's rows and the fits made on them so far."""

    frame: Frame
    candidates: Sequence[Candidate]
    calibration: Sequence[str]
    settings: ModelingSettings
    seed: int
    draw: Floats
    _fits: dict[tuple[str, bytes], tuple[Base, tuple[int, ...]]] = field(default_factory=dict)
    _screens: dict[bytes, Screen] = field(default_factory=dict)

    def fit_head(self, cohort: str, rows: Ints) -> FittedHead:
        """Select, calibrate and refit on these rows; raises Degenerate when nothing ranks."""
        frame = self.frame
        draw = inner_of(self.draw)
        kind, folds = inner_folds(frame, rows, draw, INNER_FOLDS)
        judged = np.concatenate([fold.test for fold in folds])
        trials, margins = [], []
        for candidate in self.candidates:
            parts, gaps = [], []
            for fold in folds:
                base, columns = self._fit(candidate, fold.train)
                parts.append(self._margin(base, columns, fold.test))
                gaps.append(self._gap(base, columns, fold.train, parts[-1], fold.test))
            margins.append(np.concatenate(parts))
            trials.append(self._trial(candidate, margins[-1], judged, float(np.mean(gaps))))
        best = _best(trials, float(frame.label[judged].sum()))
        fold_number = folds_of(frame.code[judged], draw, self.settings.folds)
        calibrator, briers = choose_calibrator(
            self.calibration,
            margins[best],
            frame.label[judged],
            fold_number,
            self.settings.isotonic_min_positives,
        )
        base, columns = self._fit(self.candidates[best], rows)
        head = Head(cohort, columns, base, calibrator, self._deal_value(rows))
        return FittedHead(
            head,
            self.candidates[best],
            tuple(trials),
            kind,
            briers,
            self._screen(rows),
            trials[best].gap,
        )

    def _fit(self, candidate: Candidate, rows: Ints) -> tuple[Base, tuple[int, ...]]:
        key = (candidate.name, rows.tobytes())
        if key not in self._fits:
            frame = self.frame
            keep = self._screen(rows).keep
            if not len(keep):
                raise Degenerate
            held = customer_mask(frame.code[rows], np.mod(self.draw * 104729.0, 1.0), STOP_SHARE)
            sample = Sample(frame.x[np.ix_(rows, keep)], frame.label[rows], held)
            base = fit(candidate, sample, self.settings, self.seed)
            self._fits[key] = base, tuple(int(place) for place in keep)
        return self._fits[key]

    def _screen(self, rows: Ints) -> Screen:
        key = rows.tobytes()
        if key not in self._screens:
            frame = self.frame
            self._screens[key] = screen(
                frame.x[rows], frame.label[rows], frame.names, self.settings.leakage_auc
            )
        return self._screens[key]

    def _margin(self, base: Base, columns: tuple[int, ...], rows: Ints) -> Floats:
        return base.margin(np.ascontiguousarray(self.frame.x[np.ix_(rows, np.array(columns))]))

    def _gap(
        self, base: Base, columns: tuple[int, ...], train: Ints, margin: Floats, test: Ints
    ) -> float:
        """AUC on the fold's training rows less its AUC on the rows it did not see."""
        some = train[:: max(1, len(train) // 2000)]
        inside = _auc(self._margin(base, columns, some), self.frame.label[some])
        return inside - _auc(margin, self.frame.label[test])

    def _trial(self, candidate: Candidate, margin: Floats, rows: Ints, gap: float) -> Trial:
        frame = self.frame
        figures: list[dict[str, float | str]] = []
        p = sigmoid(margin)
        for place in np.unique(frame.cutoff[rows]):
            at = frame.cutoff[rows] == place
            label = frame.label[rows][at]
            if 0 < label.sum() < len(label):
                ranking = Ranking.of(p[at], label, frame.gp[rows][at], float(label.mean()))
                found = measure(ranking)
                figures.append(
                    {"cutoff": str(frame.cutoffs[place])}
                    | {name: float(found[name][0]) for name in ("lift_at_10", "brier", "auc")}
                )
        lift, brier, auc = (
            float(np.mean([figure[name] for figure in figures]))
            for name in ("lift_at_10", "brier", "auc")
        )
        flat = bool(np.ptp(margin) < 1e-9)
        return Trial(candidate, lift, brier, auc, tuple(figures), flat, gap)

    def _deal_value(self, rows: Ints) -> float:
        """The mean worth of a purchase in these rows, shrunk to the division's where few.

        Worths are capped at ``value_cap_quantile`` first. Twenty purchases weigh as much as
        the division's mean.
        """
        known = np.isin(self.frame.cutoff, np.unique(self.frame.cutoff[rows]))
        everyone = self._worths(np.flatnonzero(known))
        own = self._worths(rows)
        weight = 20.0
        return float((own.sum() + weight * everyone.mean()) / (len(own) + weight))

    def _worths(self, rows: Ints) -> Floats:
        worth = self.frame.gp[rows][self.frame.label[rows] > 0]
        capped: Floats = np.minimum(worth, np.quantile(worth, self.settings.value_cap_quantile))
        return capped


def _best(trials: Sequence[Trial], positives: float) -> int:
    """Highest mean lift in the top tenth; what chance could explain is a tie.

    Ties go to the lower mean Brier score, then to the first. The standard error is that of
    the share of ``positives`` found in the top tenth.
    """
    sound = [place for place, trial in enumerate(trials) if not trial.degenerate]
    if not sound:
        raise Degenerate
    top = max(trials[place].lift_at_10 for place in sound)
    captured = min(max(top * 0.1, 0.0), 1.0)
    error = 10 * np.sqrt(captured * (1 - captured) / max(positives, 1.0))
    tied = [p for p in sound if trials[p].lift_at_10 >= top - TIE_ERRORS * error - 1e-12]
    return min(tied, key=lambda place: trials[place].brier)


def _auc(margin: Floats, label: Floats) -> float:
    found = measure(Ranking.of(margin, label, label, float(label.mean())))["auc"]
    return float(found[0])
