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
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gosales.artifacts import read_registry
from gosales.errors import NothingToDo
from gosales.etl.star import StarFacts, read_star_facts
from gosales.features import ensure_features
from gosales.labels import ensure_labels
from gosales.models import card, plots
from gosales.models.cutoffs import training_cutoffs
from gosales.models.division import Trained, Unmodelled, train_division
from gosales.models.evaluate import calibration_bins, gains, thresholds
from gosales.models.explain import coefficients, shap_global, shap_sample
from gosales.models.frame import Frame, load_frame
from gosales.models.lately import lately
from gosales.models.persist import model_files, sha256
from gosales.models.pool import Pool
from gosales.models.prefetch import prefetch
from gosales.run import Run, versions
from gosales.safe_csv import csv_bytes
from gosales.workspace import Workspace

__all__ = ["DivisionSummary", "TrainReport", "train"]

PERCENTS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0)
SHAP_ROWS = 2000
DRAWN = ("gains", "calibration", "shap_global")
# A division without a figure of its own has these tables too, empty.
NUMBERS = {
    "gains": ("decile", "bought_in_division_mean", "count", "p_mean"),
    "calibration": ("bin", "mean_predicted", "fraction_positives", "count"),
    "thresholds": ("k_percent", "threshold", "count"),
}
WHOLE = ("decile", "bin", "count")


@dataclass(frozen=True)
class DivisionSummary:
    """A trained division in one line; the figures are out of time (see ``protocol``)."""

    division: str
    selected_model: str
    protocol: str
    positives: int
    auc: float | None
    lift_at_10: float | None
    brier_skill: float | None
    calibration_mae: float | None
    expansion_auc: float | None
    expansion_lift_at_10: float | None
    beats_rule: bool | None


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


@dataclass(frozen=True)
class _Result:
    files: dict[Path, bytes]
    removed: list[Path]
    summary: DivisionSummary


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


def _train_one(job: _Job, pool: Pool, target: dt.date) -> _Result | Unmodelled:
    frame = next(one for one in pool.frames if one.division == job.division)
    try:
        trained = train_division(frame, pool, job.models, job.calibration, target)
    except Unmodelled as reason:
        return reason
    return _describe(job.run, frame, trained, job.run.settings.run.seed)


def _describe(run: Run, frame: Frame, trained: Trained, seed: int) -> _Result:
    """Every artifact of the division as bytes."""
    place, settings = run.workspace, run.settings.modeling
    figures = card.metrics(frame, trained, settings, seed)
    files = {place.for_division("metrics", frame.division, "json"): _json(figures)}
    removed: list[Path] = []
    tables = _tables(frame, trained, seed, settings.shap_sample_rows)
    if plots.available():
        rows = {stem: table.to_pylist() for stem in DRAWN if (table := tables[stem]) is not None}
        drawn = plots.draw(frame.division, figures, rows)
        for stem in plots.PLOTS:
            for kind in plots.KINDS:
                path = place.for_division(stem, frame.division, kind)
                if (content := drawn.get(f"{stem}.{kind}")) is None:
                    removed.append(path)
                else:
                    files[path] = content
    for stem, table in tables.items():
        path = place.for_division(stem, frame.division, "csv")
        if table is None:
            removed.append(path)
        else:
            files[path] = csv_bytes(table)
    inputs = _inputs(run, frame)
    described = card.metadata(frame, trained, inputs)
    files |= model_files(place.model(frame.division), trained.classifier, described)
    about = {
        "seed": seed,
        "run_id": run.run_id,
        "versions": versions(),
        "artifacts": {place.relative(path): sha256(content) for path, content in files.items()},
    }
    path = place.for_division("model_card", frame.division, "json")
    files[path] = _json(card.model_card(frame, trained, figures, settings, about))
    return _Result(files, removed, _summary(frame, trained, figures))


def _tables(frame: Frame, trained: Trained, seed: int, sample: int) -> dict[str, pa.Table | None]:
    """The CSV artifacts by their stem; None for one that this model does not have."""
    judged = trained.judged
    label, at = frame.label[judged.rows], frame.cutoff[judged.rows]
    newest = at == at.max(initial=0)
    rows = frame.cutoff_rows(frame.cutoffs[-1])
    spread = rows[:: max(1, len(rows) // SHAP_ROWS)]
    names = [str(name) for name in trained.classifier.feature_names_in_]
    places = np.array([frame.names.index(name) for name in names])
    parts = trained.classifier.contributions(np.ascontiguousarray(frame.x[np.ix_(spread, places)]))
    found = {
        "gains": gains(judged.p, label, frame.code[judged.rows], at),
        "calibration": calibration_bins(judged.p, label),
        "thresholds": thresholds(judged.p[newest], PERCENTS),
    }
    return {
        **{stem: _numbers(stem, table) for stem, table in found.items()},
        "shap_global": shap_global(trained.classifier, parts),
        "shap_sample": shap_sample(trained.classifier, frame, spread, parts, seed, sample),
        "coef": coefficients(trained.classifier),
    }


def _numbers(stem: str, rows: list[dict[str, float]]) -> pa.Table:
    kinds = [pa.int64() if name in WHOLE else pa.float64() for name in NUMBERS[stem]]
    return pa.Table.from_pylist(rows, pa.schema(zip(NUMBERS[stem], kinds, strict=True)))


def _paths(place: Workspace, division: str, cutoffs: Sequence[dt.date]) -> list[Path]:
    return [find(division, day) for day in cutoffs for find in (place.labels, place.features)]


def _inputs(run: Run, frame: Frame) -> dict[str, str]:
    registry = read_registry(run.workspace)
    names = map(run.workspace.relative, _paths(run.workspace, frame.division, frame.cutoffs))
    return {name: registry[name].sha256 for name in names}


def _write(run: Run, job: _Job, result: _Result) -> None:
    with run.commit("train") as change:
        change.made_from(*_paths(run.workspace, job.division, job.cutoffs))
        for path, content in result.files.items():
            rows = content.count(b"\n") - 1 if path.suffix == ".csv" else None
            change.bytes(content, path, rows)
        for path in result.removed:
            change.remove(path)


def _write_report(run: Run, report: TrainReport) -> None:
    """outputs/training.json: the last training in one page, unmodelled divisions included."""
    with run.commit("train") as change:
        change.json(asdict(report), run.workspace.output("training.json"))


def _summary(frame: Frame, trained: Trained, figures: dict[str, Any]) -> DivisionSummary:
    expansion = figures["cohorts"]["expansion"]
    return DivisionSummary(
        division=frame.division,
        selected_model=card.selected_model(trained.classifier),
        protocol=trained.plan.kind,
        positives=int(frame.label.sum()),
        auc=figures["auc"],
        lift_at_10=figures["lift_at_10"],
        brier_skill=figures["brier_skill"],
        calibration_mae=figures["calibration_mae"],
        expansion_auc=expansion["auc"],
        expansion_lift_at_10=expansion["lift_at_10"],
        beats_rule=figures["against_rule"]["all"]["beats_rule"],
    )


def _json(content: Any) -> bytes:
    import json

    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


if __name__ == "__main__":
    from gosales.cli import run_command

    run_command("train")
