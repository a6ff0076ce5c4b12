"""The stage: score every customer in every division that has a model.

Models are discovered in the workspace and read in their native form; the design matrix comes
from the function that training used. A division that cannot be scored is named with the reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from gosales.errors import MissingArtifact, NothingToDo, StaleArtifact
from gosales.etl.star import Star, open_star
from gosales.features import ensure_features
from gosales.models import (
    CELLS,
    Design,
    Ints,
    LoadedModel,
    Singles,
    find_models,
    load_design,
    load_model,
)
from gosales.months import add_months
from gosales.run import Run
from gosales.scoring.grades import grade, percentile
from gosales.scoring.reasons import (
    REASONS,
    Teller,
    Told,
    declarations,
    too_early,
    winsor_caps,
)
from gosales.workspace import slug

__all__ = ["DivisionScores", "ScoreReport", "score"]

MODELS_FROM = "Train them with: gosales train --division all"


@dataclass(frozen=True)
class DivisionScores:
    """A scored division in one line."""

    division: str
    customers: int
    mean_probability: float
    owners: int


@dataclass(frozen=True)
class ScoreReport:
    """What was scored at which cutoff, and what could not be and why.

    ``hindsight``: divisions whose model was trained on label windows that end after the cutoff.
    """

    cutoff: dt.date
    scored: tuple[DivisionScores, ...]
    skipped: dict[str, str]
    hindsight: tuple[str, ...]
    rows: int


def score(
    run: Run, cutoff: dt.date | None = None, divisions: Sequence[str] | None = None
) -> ScoreReport:
    """Write icp_scores, icp_reasons, and in scoring.json what the models had seen.

    ``cutoff`` defaults to ``run.cutoff_date``, else the star's last order date; ``divisions``
    to all of the star. Raises NothingToDo when no division could be scored, IntegrityError
    when a model is not the one that was trained.
    """
    star = open_star(run)
    day = _cutoff(run, cutoff, star)
    wanted = list(star.about.divisions if divisions is None else divisions)
    models, skipped = _load(run, wanted)
    late = tuple(model.division for model in models if _seen_until(model) > day)
    if late:
        run.warn(
            f"The models of {', '.join(late)} were trained on label windows that end after {day}: "
            "their scores for it are hindsight, not a forecast."
        )
    for window in sorted({model.window_months for model in models}):
        trained_for_it = [m.division for m in models if m.window_months == window]
        ensure_features(run, trained_for_it, [day], window)
    known = _Known(star, run, day)
    tables, grounds, scored = [], [], []
    with run.step("score", total=len(models)) as step:
        for model, found in zip(models, _side_by_side(run, models, day, known), strict=True):
            if isinstance(found, StaleArtifact):
                skipped[model.division] = found.message
            else:
                tables.append(found[0])
                grounds.append(found[1])
                scored.append(_line(model.division, found[0]))
            step.advance(1)
        for division, why in skipped.items():
            run.warn(f"{division} is not scored: {why}")
        if not tables:
            raise NothingToDo("No division could be scored.", MODELS_FROM)
        whole = pa.concat_tables(tables)
        report = ScoreReport(day, tuple(scored), skipped, late, whole.num_rows)
        with run.commit("score") as change:
            change.made_from(run.workspace.fact)
            change.csv(whole, run.workspace.output("icp_scores.csv"))
            change.arrow(whole, run.workspace.output("icp_scores.parquet"))
            change.arrow(pa.concat_tables(grounds), run.workspace.output("icp_reasons.parquet"))
            change.json(_about(report, models), run.workspace.output("scoring.json"))
            change.arrow(_forecasts(report, models), run.workspace.output("forecasts.parquet"))
        step.rows = whole.num_rows
    return report


def _about(report: ScoreReport, models: Sequence[LoadedModel]) -> dict[str, Any]:
    """What a reader of the scores must know to judge them."""
    scored = {line.division for line in report.scored}
    return {
        "cutoff": str(report.cutoff),
        "models_seen_until": {
            model.division: str(_seen_until(model)) for model in models if model.division in scored
        },
        "window_months": max((model.window_months for model in models), default=0),
        "hindsight": list(report.hindsight),
        "skipped": report.skipped,
    }


def _forecasts(report: ScoreReport, models: Sequence[LoadedModel]) -> pa.Table:
    """How earlier forecasts of the scored divisions were met."""
    scored = {line.division for line in report.scored}
    mine = [model.metadata for model in models if model.division in scored]
    cells = [cell for about in mine for cell in about.get("forecasts", ())]
    return pa.Table.from_pylist(cells, CELLS)


def _seen_until(model: LoadedModel) -> dt.date:
    """The last day of the newest label window that the model was trained on."""
    return add_months(model.cutoffs[-1], model.window_months)


def _cutoff(run: Run, given: dt.date | None, star: Star) -> dt.date:
    day = given or run.settings.run.cutoff_date
    return star.about.last_order if isinstance(day, str) else day


def _load(run: Run, wanted: Sequence[str]) -> tuple[list[LoadedModel], dict[str, str]]:
    """The wanted divisions' models, and why the others have none."""
    models: dict[str, LoadedModel] = {}
    skipped: dict[str, str] = {}
    slugs = {slug(name): name for name in wanted}
    for folder in find_models(run):
        division = slugs.get(folder.name.removesuffix("_model"))
        if division is None:
            continue
        model = _try(run, folder, division, skipped)
        if model is not None:
            models[division] = model
    for division in wanted:
        if division not in models:
            skipped.setdefault(division, "it has no model (gosales train says why).")
    return [models[name] for name in wanted if name in models], skipped


def _try(run: Run, folder: Path, division: str, skipped: dict[str, str]) -> LoadedModel | None:
    """The model, or a reason; a model that fails its seal stops everything."""
    try:
        model = load_model(run, folder)
    except MissingArtifact as error:
        skipped[division] = error.message
        return None
    if model.stale:
        run.warn(f"The model of {division} is older than its data: {model.stale}")
    return model


class _Known:
    """What the star says of the customers at the cutoff."""

    def __init__(self, star: Star, run: Run, day: dt.date) -> None:
        self.divisions = star.about.divisions
        names = run.engine.to_arrow(star.customers.select("customer_id", "customer_name"))
        self.names = dict(zip(*(column.to_pylist() for column in names.columns), strict=True))
        lines = star.transactions.filter(star.transactions.order_date <= day)
        bought = lines.select("customer_id", "product_division").distinct()
        pairs = run.engine.to_arrow(bought)
        self.owned = set(zip(*(column.to_pylist() for column in pairs.columns), strict=True))


def _side_by_side(
    run: Run, models: Sequence[LoadedModel], day: dt.date, known: _Known
) -> Iterator[tuple[pa.Table, pa.Table] | StaleArtifact]:
    """Each model's tables, or why it has none, in their order; rows do not depend on the rest."""

    def one(model: LoadedModel) -> tuple[pa.Table, pa.Table] | StaleArtifact:
        try:
            return _score_division(run, model, day, known)
        except StaleArtifact as error:
            return error

    with threadpool_limits(1), ThreadPoolExecutor(max(1, run.engine.threads)) as workers:
        yield from workers.map(one, models)


def _score_division(
    run: Run, model: LoadedModel, day: dt.date, known: _Known
) -> tuple[pa.Table, pa.Table]:
    """The division's scores, best first, and what its reasons rest on."""
    division, classifier = model.division, model.classifier
    design = load_design(run, division, day)
    x = _matrix(design, model)
    p = classifier.probability(x)
    worth = np.round(p * classifier.deal_value(x), 4)
    owned = np.array([(c, division) in known.owned for c in design.customers], dtype=bool)
    if (owned != classifier.owned(x)).any():
        raise StaleArtifact(f"its features at {day} are not of this star.", "gosales features")
    features = [str(name) for name in classifier.feature_names_in_]
    caps = winsor_caps(run.workspace, division, day, features)
    declared = list(declarations(features, known.divisions).values())
    private = run.settings.scoring.sensitive_attributes
    teller = Teller(declared, division, known.divisions, caps, private)
    told = teller.tell(x.astype(np.float64), classifier.contributions(x), too_early(design))
    rank = np.round(100 * percentile(p), 4)
    order = np.lexsort((design.customers.astype(np.str_), -p))
    customers = design.customers[order].tolist()
    columns = {
        "customer_id": pa.array(customers, pa.string()),
        "customer_name": pa.array([known.names.get(c) for c in customers], pa.string()),
        "division_name": pa.array([division] * len(order), pa.string()),
        "cutoff": pa.array([day] * len(order), pa.date32()),
        "icp_score": pa.array(p[order]),
        "icp_percentile": pa.array(rank[order]),
        "icp_grade": pa.array(grade(rank[order], run.settings.scoring.grades), pa.string()),
        "owned_before": pa.array(owned[order].astype(np.int8), pa.int8()),
        "expected_gp": pa.array(worth[order]),
    }
    for number in range(REASONS):
        columns[f"reason_{number + 1}"] = pa.array(told.text[order, number], pa.string())
    keys = {name: columns[name] for name in ("customer_id", "division_name", "cutoff")}
    return pa.table(columns), _grounds(keys, told, order, features, x)


def _grounds(
    keys: dict[str, pa.Array], told: Told, order: Ints, features: Sequence[str], x: Singles
) -> pa.Table:
    """A row a reason that a feature speaks for: its value, and the log-odds that its topic adds.

    ``keys`` are columns of the rows in their ``order``.
    """
    ranked, place = np.nonzero(told.feature[order] >= 0)
    row = order[ranked]
    spoke = told.feature[row, place]
    value = x[row, spoke].astype(np.float64)
    return pa.table(
        {
            **{name: column.take(pa.array(ranked)) for name, column in keys.items()},
            "number": pa.array(place + 1, pa.int8()),
            "reason": pa.array(told.text[row, place], pa.string()),
            "feature": pa.array([features[one] for one in spoke], pa.string()),
            "value": pa.array(value, from_pandas=True),
            "contribution": pa.array(told.weight[row, place]),
        }
    )


def _matrix(design: Design, model: LoadedModel) -> Singles:
    """The model's features in its order; refused when one is missing or of another type."""
    names = [str(name) for name in model.classifier.feature_names_in_]
    missing = [name for name in names if name not in design.types]
    retyped = [n for n in names if n not in missing and design.types[n] != model.types[n]]
    if missing or retyped:
        what = [f"{name} is missing" for name in missing]
        what += [f"{n} is {design.types[n]}, was {model.types[n]}" for n in retyped]
        raise StaleArtifact(
            f"its features are not those that the model was trained on: {'; '.join(what[:5])}.",
            MODELS_FROM,
        )
    places = [design.names.index(name) for name in names]
    return np.ascontiguousarray(design.x[:, places])


def _line(division: str, table: pa.Table) -> DivisionScores:
    return DivisionScores(
        division,
        table.num_rows,
        float(table.column("icp_score").to_numpy().mean()) if table.num_rows else 0.0,
        int(table.column("owned_before").to_numpy().sum()),
    )
