"""The stage: train every division that can be, and write what Phase 3 promises.

Each division's artifacts appear in one commit, so a run killed half-way leaves whole models.
Divisions are trained side by side; what is written does not depend on how many at once.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from gosales.errors import NothingToDo
from gosales.etl.star import StarFacts, read_star_facts
from gosales.features import ensure_features
from gosales.labels import ensure_labels
from gosales.models.cutoffs import training_cutoffs
from gosales.models.describe import Described, DivisionSummary, describe, inputs_of
from gosales.models.division import Unmodelled, train_division
from gosales.models.frame import load_frame
from gosales.models.lately import lately
from gosales.models.pool import Pool
from gosales.models.prefetch import prefetch
from gosales.run import Run

__all__ = ["DivisionSummary", "TrainReport", "train"]


@dataclass(frozen=True)
class TrainReport:
    """What was trained on which cutoffs, and why the other divisions were not."""

    cutoffs: tuple[dt.date, ...]
    window_months: int
    modelled: tuple[DivisionSummary, ...]
    unmodelled: dict[str, str]


@dataclass(frozen=True)
class _Job:
    """What a worker needs; it reads artifacts and returns bytes, and writes nothing."""

    run: Run
    division: str
    cutoffs: Sequence[dt.date]
    models: Sequence[str]
    calibration: Sequence[str]


def train(
    run: Run,
    divisions: Sequence[str],
    cutoffs: Sequence[dt.date] | None = None,
    window_months: int | None = None,
    models: Sequence[str] | None = None,
    calibration: Sequence[str] | None = None,
) -> TrainReport:
    """Train the divisions (canonical names); what is not given comes from the settings.

    Builds missing or stale labels and features first. Raises NothingToDo when no division
    could be modelled, UsageError for cutoffs that cannot be trained on.
    """
    run = _with_window(run, window_months)
    modeling, window = run.settings.modeling, run.settings.labels.window_months
    star = read_star_facts(run.workspace)
    days = training_cutoffs(cutoffs, modeling, window, star)
    ensure_labels(run, list(star.divisions), days)
    ensure_features(run, list(star.divisions), days)
    jobs = [
        _Job(run, division, days, models or modeling.models, calibration or modeling.calibration)
        for division in divisions
    ]
    summaries: list[DivisionSummary] = []
    unmodelled: dict[str, str] = {}
    with run.step("train", total=len(jobs)) as step:
        for job, result in zip(jobs, _side_by_side(run, jobs, star), strict=True):
            if isinstance(result, Unmodelled):
                unmodelled[job.division] = str(result)
                run.warn(f"{job.division} is not modelled: {result}.")
            else:
                _write(run, job, result)
                summaries.append(result.summary)
            step.advance(1)
        step.rows = len(summaries)
    report = TrainReport(tuple(days), window, tuple(summaries), unmodelled)
    _write_report(run, report)
    if not summaries:
        raise NothingToDo(
            "No division could be modelled: "
            + "; ".join(f"{name}: {why}" for name, why in unmodelled.items())
            + ".",
            "Give more cutoffs or a longer log, or lower modeling.min_positives.",
        )
    return report


def _with_window(run: Run, window_months: int | None) -> Run:
    """The run with another label window, so that labels are built for it."""
    labels = run.settings.labels
    if window_months is None or window_months == labels.window_months:
        return run
    changed = labels.model_copy(update={"window_months": window_months})
    return replace(run, settings=run.settings.model_copy(update={"labels": changed}))


def _side_by_side(run: Run, jobs: Sequence[_Job], star: StarFacts) -> Any:
    """Results in the order of the jobs. Linear algebra gets one thread: sums keep their order.

    The pool is made of all divisions of the star, so that a division gets the same model
    whether it is trained alone or with the others.
    """
    import lightgbm  # noqa: F401  (both are loaded once, before the workers share them)
    import sklearn.linear_model
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    assert sklearn.linear_model
    days, threads = jobs[0].cutoffs, max(1, run.engine.threads)
    given = run.settings.run.cutoff_date
    target = star.last_order if isinstance(given, str) else given
    with (
        threadpool_limits(1),
        warnings.catch_warnings(),
        ThreadPoolExecutor(threads) as workers,
    ):
        # A strongly penalised fit may stop at its last iteration; that is not worth a word.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A plot's title in a script that its font lacks shows boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        window = run.settings.labels.window_months
        frames = workers.map(lambda name: load_frame(run, name, days, window), star.divisions)
        moves = lately(run, star.divisions, {*days, target}, window)
        pool = Pool(list(frames), run.settings.modeling, run.settings.run.seed, moves)
        prefetch(pool, jobs[0].models, threads)
        yield from workers.map(lambda job: _train_one(job, pool, target), jobs)


def _train_one(job: _Job, pool: Pool, target: dt.date) -> Described | Unmodelled:
    frame = next(one for one in pool.frames if one.division == job.division)
    try:
        trained = train_division(frame, pool, job.models, job.calibration, target)
    except Unmodelled as reason:
        return reason
    return describe(job.run, frame, trained, job.run.settings.run.seed)


def _write(run: Run, job: _Job, result: Described) -> None:
    with run.commit("train") as change:
        change.made_from(*inputs_of(run.workspace, job.division, job.cutoffs))
        for path, content in result.files.items():
            rows = content.count(b"\n") - 1 if path.suffix == ".csv" else None
            change.bytes(content, path, rows)
        for path in result.removed:
            change.remove(path)


def _write_report(run: Run, report: TrainReport) -> None:
    """outputs/training.json: the last training in one page, unmodelled divisions included."""
    with run.commit("train") as change:
        change.json(asdict(report), run.workspace.output("training.json"))


if __name__ == "__main__":
    from gosales.cli import run_command

    run_command("train")
