"""Fitting a head the honest way: select, calibrate, refit, all within the slice given.

``Trainer.fit_head`` is the whole procedure. The protocol runs it on what was known at each
reported cutoff to judge it, and once on everything to ship it. Fits that both need are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gosales.models.calibrate import choose_calibrator, fit_calibrator
from gosales.models.candidates import RULE, Candidate
from gosales.models.choice import Trial, beats, choose
from gosales.models.classifier import Head
from gosales.models.fitting import Degenerate, Fitter
from gosales.models.frame import Floats, Frame, Singles
from gosales.models.guardrails import Screen
from gosales.models.jury import Jury, own_jury, pooled_jury
from gosales.models.lately import NOTHING, Moves
from gosales.models.protocol import Rules
from gosales.models.search import firmer_one, shortlist
from gosales.models.slices import NEVER_OWNED, Slice
from gosales.models.value import fit_value
from gosales.settings import ModelingSettings

__all__ = ["FittedHead", "Trainer"]


@dataclass(frozen=True)
class FittedHead:
    """A head and how it came about.

    ``dropped``: what the search gave up before a full trial. ``regularised``: the winner's AUC
    fell too far on unseen rows, and a fit that is shrunk more does as well. ``borrowed``: too
    few own buyers, so only models pooled over divisions were candidates. ``beats_rule``: where
    the best candidate beat the rule beyond noise (``own``, ``pooled``); if nowhere (``no``),
    the rule is what the head holds.
    """

    head: Head
    candidate: Candidate
    trials: tuple[Trial, ...]
    dropped: tuple[Trial, ...]
    inner_kind: str
    calibration_briers: dict[str, float]
    screened: Screen
    overfit_gap: float
    regularised: bool
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
        frame = self.frame
        jury = self._jury(cohort, within)
        borrowed = not jury.own or self._borrows(cohort, within)
        offered = dict.fromkeys(c.lent() if borrowed else c for c in self.candidates)
        able = [candidate for candidate in offered if jury.can(candidate, within)]
        tried, dropped = shortlist(jury, able, self.settings)
        trials = tuple(jury.trial(candidate) for candidate in tried)
        margins = [jury.margin(candidate) for candidate in tried]
        choice = choose(jury.ballot, trials, margins, lambda: self._models_win(cohort, within))
        won = trials[choice.place]
        best = firmer_one(jury, won, self.settings.overfit_gap)
        calibrator, briers = choose_calibrator(
            self.calibration,
            jury.evidence(best.candidate, within),
            target,
            frame.window_months,
            self.settings.isotonic_min_positives,
            self._moves(cohort, target),
        )
        final = self.fitter.fit(best.candidate, cohort, within)
        value = fit_value(self.fitter, cohort, within, target)
        return FittedHead(
            Head(cohort, final.columns, final.base, calibrator, value),
            best.candidate,
            trials if best is won else (*trials, best),
            tuple(dropped),
            jury.kind,
            briers,
            self.fitter.screened(cohort, within),
            jury.gap(best.candidate),
            best is not won,
            borrowed,
            choice.beats_rule,
        )

    def pooled(self, cohort: str, within: Slice, target: dt.date, x: Singles) -> Floats:
        """What the model pooled over divisions says by itself, as a baseline."""
        lent, jury = self.candidates[-1].lent(), self._jury(cohort, within)
        candidate = lent.parts[0] if lent.parts else lent
        evidence = jury.evidence(candidate, within)
        moves = self._moves(cohort, target)
        line = fit_calibrator("platt", evidence, target, self.frame.window_months, moves)
        return line.probability(self.fitter.fit(candidate, cohort, within).margin(x))

    def _moves(self, cohort: str, target: dt.date) -> Moves:
        known = self.fitter.pool.lately if cohort == NEVER_OWNED else {}
        return known.get((self.frame.division, target), NOTHING)

    def _jury(self, cohort: str, within: Slice) -> Jury:
        """The division's own, or the pooled one; kept, for its margins are asked for again."""
        key = ("own jury", self.frame.division, cohort, within)
        pool, rules = self.fitter.pool, self.rules
        jury = pool.once(key, lambda: own_jury(self.fitter, cohort, within, rules))
        if jury is None and rules.lends:
            jury = pooled_jury(self.fitter, cohort, within, rules)
        if jury is None:
            raise Degenerate
        return jury

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
        margin, rule = (jury.margin(candidate) for candidate in (model, RULE))
        return beats(jury.ballot, margin, rule)

    def _borrows(self, cohort: str, within: Slice) -> bool:
        label = self.frame.label[within.rows(self.frame, cohort)]
        few = label.sum() < self.settings.min_positives
        return bool(self.rules.lends and few)
