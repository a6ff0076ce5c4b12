"""The whole way in one run: star, labels, features, models, scores, whitespace."""

from __future__ import annotations

from dataclasses import dataclass

from gosales.etl.build_star import StarReport, build_star
from gosales.etl.star import read_star_facts
from gosales.models import TrainReport, train
from gosales.pipeline.summaries import show_star, show_training, show_whitespace
from gosales.run import Run
from gosales.scoring import ScoreReport, score
from gosales.screen import Screen

__all__ = ["RunResult", "run_all", "show_summary"]


@dataclass(frozen=True)
class RunResult:
    star: StarReport
    training: TrainReport
    scores: ScoreReport


def run_all(run: Run) -> RunResult:
    """Labels and features are built as training and scoring ask for them."""
    star = build_star(run)
    divisions = list(read_star_facts(run.workspace).divisions)
    training = train(run, divisions)
    return RunResult(star, training, score(run))


def show_summary(result: RunResult, run: Run, screen: Screen) -> None:
    """A page that a sales leader understands, and where the files are."""
    screen.head("Data")
    show_star(result.star, screen)
    screen.head("Models")
    show_training(result.training, screen)
    screen.head("Opportunities")
    show_whitespace(run, screen)
    outputs = run.workspace.outputs
    screen.head("Files")
    for name, what in (
        ("whitespace.csv", "every opportunity, ranked"),
        ("icp_scores.csv", "every customer in every division"),
        ("contracts/violations.csv", "what is wrong with the log"),
        ("qa/row_counts.csv", "where every row went"),
        (f"runs/{run.run_id}", "log and manifest of this run"),
    ):
        screen.say(f"  {outputs / name}: {what}")
    screen.summary(result)
