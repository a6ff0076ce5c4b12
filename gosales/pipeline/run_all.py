"""The whole way in one run: star, labels, features, models, scores, whitespace."""

from __future__ import annotations

from dataclasses import dataclass

from gosales.errors import NothingToDo
from gosales.etl.build_star import build_star
from gosales.etl.star import read_star_facts
from gosales.etl.star_report import StarReport
from gosales.handover import hand_over
from gosales.models import TrainReport, train
from gosales.pipeline.summaries import show_star, show_training, show_whitespace
from gosales.run import Run
from gosales.scoring import ScoreReport, score
from gosales.screen import Screen
from gosales.whitespace import WhitespaceReport, rank_whitespace
from gosales.whitespace.matrix import build_matrix
from gosales.whitespace.profile import build_profiles

__all__ = ["RunResult", "rank_or_say_why", "run_all", "show_summary"]


@dataclass(frozen=True)
class RunResult:
    star: StarReport
    training: TrainReport
    scores: ScoreReport
    whitespace: WhitespaceReport | None


def run_all(run: Run) -> RunResult:
    """Labels and features are built as training and scoring ask for them."""
    star = build_star(run)
    divisions = list(read_star_facts(run.workspace).divisions)
    training = train(run, divisions)
    scores = score(run)
    listed = rank_or_say_why(run)
    build_matrix(run)
    if listed is not None:
        hand_over(run)
    _profiles(run, divisions)
    return RunResult(star, training, scores, listed)


def _profiles(run: Run, divisions: list[str]) -> None:
    """The ideal customers; a log without enough new buyers is told so."""
    try:
        build_profiles(run, divisions)
    except NothingToDo as error:
        run.warn(error.message)


def rank_or_say_why(run: Run) -> WhitespaceReport | None:
    """The list of the scores just made; None, with a warning, when there is no whitespace."""
    try:
        return rank_whitespace(run)
    except NothingToDo as error:
        run.warn(error.message)
        return None


def show_summary(result: RunResult, run: Run, screen: Screen) -> None:
    """A page that a sales leader understands, and where the files are."""
    screen.head("Data")
    show_star(result.star, screen)
    screen.head("Models")
    show_training(result.training, screen)
    screen.head("Opportunities")
    show_whitespace(result.whitespace, run, screen)
    outputs = run.workspace.outputs
    screen.head("Files")
    for name, what in (
        ("whitespace.csv", "every opportunity, ranked; the list first"),
        ("handover", "the list for Salesforce, HubSpot and notebooks"),
        ("whitespace_matrix.csv", "what each customer has, had and could buy"),
        ("icp_profile_<division>.csv", "the ideal customer of each division"),
        ("icp_scores.csv", "every customer in every division"),
        ("contracts/violations.csv", "what is wrong with the log"),
        ("qa/row_counts.csv", "where every row went"),
        (f"runs/{run.run_id}", "log and manifest of this run"),
    ):
        if any(outputs.glob(name.replace("<division>", "*"))):
            screen.say(f"  {outputs / name}: {what}")
    screen.summary(result)
