"""Fitting a head the honest way: select, calibrate, refit, all within the slice given.

``Trainer.fit_head`` is the whole procedure. The protocol runs it on what was known at each
reported cutoff to judge it, and once on everything to ship it. Fits that both need are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gosales.models.calibrate import choose_calibrator
from gosales.models.candidates import RULE, Candidate
from gosales.models.choice import Trial, beats, choose
from gosales.models.classifier import Head
from gosales.models.fitting import Degenerate, Fitter
from gosales.models.frame import Frame
from gosales.models.guardrails import Screen
from gosales.models.jury import own_jury, pooled_jury
from gosales.models.protocol import Rules
from gosales.models.slices import Slice
from gosales.models.value import fit_value
from gosales.settings import ModelingSettings

__all__ = ["FittedHead", "Trainer"]


@dataclass(frozen=True)
class FittedHead:
    """A head and how it came about.

    ``borrowed``: too few own buyers, so only models pooled over divisions were candidates.
    ``beats_rule``: where the best candidate beat the rule beyond noise (``own``, ``pooled``); if
    nowhere (``no``), the rule is what the head holds.
    """

    head: Head
    candidate: Candidate
    trials: tuple[Trial, ...]
    inner_kind: str
    calibration_briers: dict[str, float]
    screened: Screen
    overfit_gap: float
    borrowed: bool
    beats_rule: str


@dataclass
class Trainer:
    """One division's rows, what may be fitted on them, and how they are judged."""

    fitter: Fitter
    candidates: Sequence[Candidate]
    calibration: Sequence[str]
    settings: ModelingSettings
    rules: Rules

    @property
    def frame(self) -> Frame:
        return self.fitter.frame

    def fit_head(self, cohort: str, within: Slice, target: dt.date) -> FittedHead:
        """Select, calibrate and refit on the slice, for scores at ``target``.

        Raises Degenerate when nothing ranks.
        """
        frame, rules = self.frame, self.rules
        jury = own_jury(self.fitter, cohort, within, rules)
        borrowed = jury is None or self._borrows(cohort, within)
        if jury is None and rules.lends:
            jury = pooled_jury(self.fitter, cohort, within, rules)
        if jury is None:
            raise Degenerate
        offered = dict.fromkeys(c.lent() if borrowed else c for c in self.candidates)
        tried = [candidate for candidate in offered if jury.can(candidate, within)]
        trials, margins = zip(*(jury.trial(candidate) for candidate in tried), strict=True)
        choice = choose(jury.ballot, trials, margins, lambda: self._models_win(cohort, within))
        best = choice.place
        calibrator, briers = choose_calibrator(
            self.calibration,
            jury.evidence(tried[best], within),
            target,
            frame.window_months,
            self.settings.isotonic_min_positives,
        )
        final = self.fitter.fit(tried[best], cohort, within)
        value = fit_value(self.fitter, cohort, within)
        return FittedHead(
            Head(cohort, final.columns, final.base, calibrator, value),
            tried[best],
            trials,
            jury.kind,
            briers,
            self.fitter.screened(cohort, within),
            jury.gap(tried[best]),
            borrowed,
            choice.beats_rule,
        )

    def _models_win(self, cohort: str, within: Slice) -> bool:
        """Whether a pooled model beats the rule on the rows of all divisions, beyond noise."""
        if not self.rules.lends:
            return False
        model = self.candidates[-1].lent()
        return self.fitter.pool.once(
            ("wins", model, cohort, within), lambda: self._pooled_win(model, cohort, within)
        )

    def _pooled_win(self, model: Candidate, cohort: str, within: Slice) -> bool:
        jury = pooled_jury(self.fitter, cohort, within, self.rules)
        if jury is None:
            return False
        margin, rule = (jury.trial(candidate)[1] for candidate in (model, RULE))
        return beats(jury.ballot, margin, rule)

    def _borrows(self, cohort: str, within: Slice) -> bool:
        label = self.frame.label[within.rows(self.frame, cohort)]
        few = label.sum() < self.settings.min_positives
        return bool(self.rules.lends and few)
