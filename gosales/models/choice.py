"""Which candidate a head gets, and whether it earns its place.

The candidates are compared on rows that none of them has seen. Highest mean lift in the top
tenth wins; what chance could explain is a tie. A tie goes to a blend where there is one in it
(on every log tried it was steadier than the winner of a noisy comparison), else to the lower
mean Brier score.

The winner must then beat the rule of recency and frequency beyond noise, in lift, AUC or Brier
score (see ``lead``); otherwise the rule is what ships. A division's own buyers are
often too few to show it: where models beat the rule over all divisions together, beyond noise,
the winner ships unless the rule did better in this one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gosales.models.candidates import RULE, Candidate
from gosales.models.fitting import Degenerate
from gosales.models.frame import Floats, Ints
from gosales.models.lead import leads
from gosales.models.level import fit_line, sigmoid

__all__ = ["Ballot", "Choice", "Trial", "beats", "choose"]

# Mean lifts closer than this many standard errors are a tie.
TIE_ERRORS = 1.5


@dataclass(frozen=True)
class Trial:
    """How one candidate did on the inner folds; ``by_cutoff`` has a row a judged cutoff.

    The Brier score is that of its log-odds at each cutoff's own level. Where several divisions
    judge, figures are means over them.
    """

    candidate: Candidate
    lift_at_10: float
    brier: float
    auc: float
    by_cutoff: tuple[dict[str, float | str], ...]
    degenerate: bool

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
class Ballot:
    """Rows that judge: label, gross profit, ordinal cutoff, division and customer by number."""

    label: Floats
    gp: Floats
    day: Ints
    division: Ints
    draw: Floats

    @cached_property
    def part(self) -> Ints:
        """The number of each row's cutoff and division.

        Divisions are never ranked among each other: who knows which of them sells most would
        lead by that alone.
        """
        pairs = np.stack([self.day, self.division], axis=1)
        return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)

    def levelled(self, margin: Floats) -> Floats:
        """Probabilities at each part's own level: what the ranking is good for."""
        line = fit_line(margin, self.label, self.part, free_slope=True)
        return sigmoid(line.at(margin, self.part))

    def parts(self) -> Iterator[tuple[dt.date, Ints]]:
        """Of each division and cutoff at which some bought and some did not: its rows."""
        for part in range(int(self.part.max()) + 1):
            at = np.flatnonzero(self.part == part)
            if 0 < self.label[at].sum() < len(at):
                yield dt.date.fromordinal(int(self.day[at[0]])), at


@dataclass(frozen=True)
class Choice:
    """The place of the candidate that ships, and where the best model beat the rule.

    ``own``: on this division's rows; ``pooled``: only on those of all divisions; ``no``.
    """

    place: int
    beats_rule: str


def choose(
    ballot: Ballot,
    trials: Sequence[Trial],
    margins: Sequence[Floats],
    elsewhere: Callable[[], bool],
) -> Choice:
    """``margins`` are each trial's log-odds of the rows; ``elsewhere`` says whether models beat
    the rule over all divisions. Raises Degenerate when nothing ranks.
    """
    sound = [place for place, trial in enumerate(trials) if not trial.degenerate]
    models = [place for place in sound if trials[place].candidate != RULE]
    rule = next((place for place in sound if trials[place].candidate == RULE), None)
    if not models:
        raise Degenerate
    best = _best(trials, models, float(ballot.label.sum()))
    if rule is None or beats(ballot, margins[best], margins[rule]):
        return Choice(best, "own")
    model, simple = trials[best], trials[rule]
    behind = simple.auc > model.auc and simple.lift_at_10 >= model.lift_at_10
    if not behind and elsewhere():
        return Choice(best, "pooled")
    return Choice(rule, "no")


def _best(trials: Sequence[Trial], among: Sequence[int], positives: float) -> int:
    """The standard error is that of the share of ``positives`` found in the top tenth."""
    top = max(trials[place].lift_at_10 for place in among)
    captured = min(max(top * 0.1, 0.0), 1.0)
    error = 10 * np.sqrt(captured * (1 - captured) / max(positives, 1.0))
    tied = [p for p in among if trials[p].lift_at_10 >= top - TIE_ERRORS * error - 1e-12]
    blends = [place for place in tied if trials[place].candidate.parts]
    return min(blends or tied, key=lambda place: trials[place].brier)


def beats(ballot: Ballot, margin: Floats, rule: Floats) -> bool:
    """Whether one model leads the other beyond noise, in lift, AUC or Brier score.

    Within divisions, and both at each cutoff's own level.
    """
    _, code = np.unique(ballot.draw, return_inverse=True)
    p, other = ballot.levelled(margin), ballot.levelled(rule)
    parts = [(p[at], other[at], ballot.label[at], code[at]) for _, at in ballot.parts()]
    return bool(parts) and leads(parts)
