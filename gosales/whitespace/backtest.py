"""Scores as they could have been made at an earlier cutoff.

The models are trained on label windows that had closed by then, in a workspace of their own
that shares the star, the labels and the features with ours; ours keeps its models.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from gosales import __version__
from gosales.artifacts import is_current
from gosales.errors import NothingToDo
from gosales.etl.star import StarFacts, open_star, read_star_facts
from gosales.features import ensure_features
from gosales.labels import ensure_labels
from gosales.models.cutoffs import training_cutoffs
from gosales.months import add_months
from gosales.run import NullReporter, Run
from gosales.workspace import Workspace

__all__ = ["backtest_forecasts", "backtest_scores", "earlier_cutoffs", "past_training"]


def backtest_scores(run: Run, cutoff: dt.date) -> Path:
    """``outputs/backtest/scores_<cutoff>.parquet``, made unless it is there and current.

    Columns as icp_scores.parquet. Raises NothingToDo when no window had closed by the cutoff
    or no division could be modelled.
    """
    place = run.workspace
    path = place.output("backtest") / f"scores_{cutoff}.parquet"
    met = backtest_forecasts(run, cutoff)
    key = _key(run)
    if is_current(place, path, key) and is_current(place, met, key):
        return path
    from gosales.models import train
    from gosales.scoring import score

    about = read_star_facts(place)
    days = past_training(run, about, cutoff)
    run.note(
        f"Scoring {cutoff} with models trained on {', '.join(map(str, days))}, whose label "
        "windows had closed by then."
    )
    divisions = _sold_by(run, cutoff)
    ensure_labels(run, divisions, days)
    ensure_features(run, divisions, [*days, cutoff])
    shadow = _shadow(run, cutoff, divisions, [*days, cutoff])
    train(shadow, divisions, days)
    score(shadow, cutoff)
    with run.commit("backtest") as change:
        change.made_from(place.fact, key=key)
        change.adopt(shadow.workspace.output("icp_scores.parquet"), path)
        change.adopt(shadow.workspace.output("forecasts.parquet"), met)
    shutil.rmtree(shadow.workspace.root, ignore_errors=True)
    return path


def backtest_forecasts(run: Run, cutoff: dt.date) -> Path:
    """Where ``backtest_scores`` leaves how still earlier forecasts were met: forecasts.parquet."""
    return run.workspace.output("backtest") / f"forecasts_{cutoff}.parquet"


def _sold_by(run: Run, cutoff: dt.date) -> list[str]:
    """The divisions that there were: one launched later was nobody's to sell."""
    star = open_star(run)
    lines = star.transactions.filter(star.transactions.order_date <= cutoff)
    sold = run.engine.to_arrow(lines.select("product_division").distinct())
    there = set(sold["product_division"].to_pylist())
    return [name for name in star.about.divisions if name in there]


def past_training(run: Run, about: StarFacts, cutoff: dt.date) -> list[dt.date]:
    """The training cutoffs that a log ending on the cutoff would have had.

    Raises NothingToDo when there is none.
    """
    modeling, window = run.settings.modeling, run.settings.labels.window_months
    if not isinstance(modeling.cutoffs, str):
        days = [day for day in modeling.cutoffs if add_months(day, window) <= cutoff]
        if not days:
            raise NothingToDo(
                f"No cutoff of modeling.cutoffs has a label window that had closed by {cutoff}."
            )
        return days
    then = replace(about, last_order=min(about.last_order, cutoff))
    return training_cutoffs(None, modeling, window, then)


def earlier_cutoffs(
    run: Run, cutoff: dt.date, most: int, apart: int | None = None
) -> list[dt.date]:
    """Cutoffs whose own window had closed by ``cutoff`` and that models could have been trained
    for; newest first, at most ``most``, ``apart`` months from each other (None: a window).
    """
    about = read_star_facts(run.workspace)
    window = run.settings.labels.window_months
    found: list[dt.date] = []
    day = add_months(cutoff, -window)
    while len(found) < most:
        try:
            past_training(run, about, day)
        except NothingToDo:
            break
        found.append(day)
        day = add_months(day, -(apart or window))
    return found


def _key(run: Run) -> str:
    settings = run.settings
    content = {
        name: getattr(settings, name).model_dump(mode="json")
        for name in ("labels", "features", "modeling")
    }
    content |= {"seed": settings.run.seed, "version": __version__}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _shadow(run: Run, cutoff: dt.date, divisions: list[str], days: list[dt.date]) -> Run:
    """A run in a workspace that holds our star, labels and features, and no models."""
    ours = run.workspace
    root = ours.scratch / f"backtest-{cutoff}"
    shutil.rmtree(root, ignore_errors=True)
    theirs = Workspace(root)
    wanted = [path for path in ours.curated.rglob("*.parquet") if path.is_file()]
    wanted += [ours.star_facts, ours.registry]
    for division in divisions:
        for day in days:
            wanted += _files(ours.labels(division, day)) + _files(ours.features(division, day))
            wanted += [
                path
                for stem, ending in (("feature_stats", "json"), ("feature_catalog", "csv"))
                if (path := ours.for_cutoff(stem, division, day, ending)).exists()
            ]
    for path in wanted:
        target = theirs.root / ours.relative(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(path, target)
    # The models' level is forecast for the cutoff that they score.
    then = run.settings.run.model_copy(update={"cutoff_date": cutoff})
    return replace(
        run,
        settings=run.settings.model_copy(update={"run": then}),
        workspace=theirs,
        reporter=NullReporter(),
        artifacts={},
        inputs={},
        steps=[],
        warnings=[],
    )


def _files(path: Path) -> list[Path]:
    """A parquet artifact's file, or the files of its folder; none when it is not there."""
    if path.is_dir():
        return [file for file in path.iterdir() if file.is_file()]
    return [path] if path.exists() else []


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
