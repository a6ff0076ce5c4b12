"""Which candidates get a full trial, within the budget.

``grid`` tries the first ``search_trials``. ``halving`` starts with the newest judged cutoff,
drops the worse half, doubles the cutoffs and goes on until few are left (successive halving,
Jamieson and Talwalkar 2016). Everything is counted in trials, not in seconds, so that the same
input gives the same model on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from gosales.models.candidates import RULE, Candidate
from gosales.models.choice import Trial
from gosales.models.jury import Jury
from gosales.settings import ModelingSettings

__all__ = ["firmer_one", "shortlist"]

# So few candidates are all tried in full.
FEW = 4
# What a more regularised fit may lose: share of the Brier score, and AUC.
BRIER_LOSS, AUC_LOSS = 0.005, 0.005


def shortlist(
    jury: Jury, candidates: Sequence[Candidate], settings: ModelingSettings
) -> tuple[list[Candidate], list[Trial]]:
    """The candidates to try on all judged rows, and the trials of those dropped before.

    The rule is always among the former.
    """
    tried = list(candidates[: settings.search_trials])
    dropped: list[Trial] = []
    folds = 1
    while settings.search == "halving" and len(tried) > FEW and folds < jury.folds:
        part = jury.newest(folds)
        trials = [part.trial(one) for one in tried if one != RULE]
        trials.sort(key=lambda trial: (-trial.lift_at_10, trial.brier))
        worse = trials[max(len(trials) // 2, FEW - 1) :]
        dropped += worse
        gone = {trial.candidate for trial in worse}
        tried = [one for one in tried if one not in gone]
        folds *= 2
    return tried, dropped


def firmer_one(jury: Jury, trial: Trial, limit: float) -> Trial:
    """The same candidate, shrunk more where its AUC falls too far on unseen rows.

    It is taken when it falls less and ranks and foretells as well.
    """
    gap = jury.gap(trial.candidate)
    if gap <= limit or trial.candidate == RULE:
        return trial
    other = jury.trial(trial.candidate.firmer())
    as_good = other.auc >= trial.auc - AUC_LOSS and other.brier <= trial.brier * (1 + BRIER_LOSS)
    return other if as_good and not other.degenerate and jury.gap(other.candidate) < gap else trial
