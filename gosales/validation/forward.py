"""Were the models right that could have been had on an earlier day?

They are trained on label windows that had closed by then, score that day's customers, and are
held against what was bought in the window after: figures with intervals, scenarios for each
capacity, segments, drift, and alerts for what a person should know.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gosales.artifacts import Commit, entry
from gosales.errors import NothingToDo, UsageError
from gosales.etl.star import StarFacts, open_star, read_star_facts
from gosales.features import ensure_features, read_features
from gosales.labels import check_cutoffs, ensure_labels
from gosales.models.evaluate import calibration_bins, gains
from gosales.months import add_months
from gosales.run import Run
from gosales.validation.judged import (
    COHORTS,
    Scores,
    alerts,
    figures,
    makes_groups,
    psi,
    scenarios,
    segments,
)
from gosales.whitespace.attributes import firmographics, learn, valued
from gosales.whitespace.backtest import (
    backtest_forecasts,
    backtest_scores,
    earlier_cutoffs,
    past_training,
)
from gosales.whitespace.capture import realised
from gosales.workspace import slug

__all__ = ["ForwardReport", "Validated", "validate_forward"]

# The features that moved most are told.
MOST_MOVED = 20
Values = Mapping[str, tuple[list[str], npt.NDArray[np.int64]]]


@dataclass(frozen=True)
class Validated:
    """A division at a cutoff in one line; intervals are of 95 %."""

    division: str
    cutoff: dt.date
    customers: int
    buyers: int
    expected_buyers: float
    auc: float | None
    lift_at_10: float | None
    calibration_mae: float | None
    new_auc: float | None
    new_lift_at_10: float | None
    gross_profit: float
    expected_gp: float
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class ForwardReport:
    """``unmodelled``: for each cutoff, the divisions that no model could be had for."""

    cutoffs: tuple[dt.date, ...]
    window_months: int
    validated: tuple[Validated, ...]
    unmodelled: dict[str, tuple[str, ...]]


def validate_forward(
    run: Run, divisions: Sequence[str], cutoffs: Sequence[dt.date] | None = None
) -> ForwardReport:
    """Write ``validation/<division>/<cutoff>/`` for each division (canonical names) and cutoff.

    Without cutoffs: the newest whose label window has closed. Raises UsageError for a cutoff
    whose window has not closed, NothingToDo where no model could be had.
    """
    about = read_star_facts(run.workspace)
    found: list[Validated] = []
    missing: dict[str, tuple[str, ...]] = {}
    days = _days(run, about, cutoffs)
    for day in days:
        past = _Past.of(run, about, divisions, day)
        known = _divisions(past.table) if past else []
        if absent := tuple(name for name in divisions if name not in known):
            missing[str(day)] = absent
        if past is None:
            continue
        with run.step(f"validate {day}") as step, run.commit("validate") as change:
            change.made_from(run.workspace.fact)
            found += [_validate(past, name, change) for name in known]
            step.rows = len(known)
    if not found:
        raise NothingToDo(f"No model of {', '.join(divisions)} could be had then.")
    return ForwardReport(tuple(days), run.settings.labels.window_months, tuple(found), missing)


def _days(run: Run, about: StarFacts, given: Sequence[dt.date] | None) -> list[dt.date]:
    window = run.settings.labels.window_months
    if given is None:
        newest = earlier_cutoffs(run, about.last_order, 1)
        if not newest:
            raise NothingToDo(
                "No label window has closed after a day on which a model could have been trained.",
                "Load a longer log or use a shorter label window (labels.window_months).",
            )
        return newest
    days = check_cutoffs(about, given)
    if add_months(days[-1], window) > about.last_order:
        raise UsageError(
            f"The {window} months after {days[-1]} have not passed: the log ends "
            f"{about.last_order}.",
            f"Choose cutoffs up to {add_months(about.last_order, -window)}.",
        )
    return days


@dataclass(frozen=True)
class _Past:
    """A cutoff: its scores in all divisions, what came of them, and who the customers were.

    ``before`` is the newest cutoff that the models were trained on; ``cells`` tell how still
    earlier forecasts were met; ``values`` are the attributes of all ``customers``.
    """

    run: Run
    day: dt.date
    before: dt.date
    table: pa.Table
    cells: list[dict[str, Any]]
    label: npt.NDArray[np.float64]
    profit: npt.NDArray[np.float64]
    customers: pa.ChunkedArray
    values: Values

    @classmethod
    def of(cls, run: Run, about: StarFacts, divisions: Sequence[str], day: dt.date) -> _Past | None:
        """None where no model of the divisions could be had then."""
        table = pq.read_table(backtest_scores(run, day))
        table = table.filter(pc.is_in(table.column("division_name"), pa.array(divisions)))
        table = table.sort_by([("division_name", "ascending"), ("customer_id", "ascending")])
        before = past_training(run, about, day)[-1]
        there = _divisions(table)
        if not there:
            return None
        ensure_labels(run, there, [before])
        ensure_features(run, there, [before, day])
        label, profit = realised(run, table, day)
        customers = firmographics(run, open_star(run), day)
        cut = {name: valued(customers.column(name), how) for name, how in learn(customers).items()}
        values = {name: one for name, one in cut.items() if makes_groups(*one)}
        ids = customers.column("customer_id")
        cells = pq.read_table(backtest_forecasts(run, day)).to_pylist()
        return cls(run, day, before, table, cells, label, profit, ids, values)

    def of_division(self, division: str) -> tuple[pa.Table, Scores]:
        """The division's rows by customer, as scored and as arrays."""
        mine = pc.equal(self.table.column("division_name"), division)
        rows = np.flatnonzero(mine.to_numpy())
        part, label = self.table.take(pa.array(rows)), self.label[rows]
        owned = part.column("owned_before").to_numpy() > 0
        odds, worth = (part.column(name).to_numpy() for name in ("icp_score", "expected_gp"))
        return part, Scores(odds, worth, owned, label, self.profit[rows] * label)

    def attributes(self, part: pa.Table) -> Values:
        """Those of the rows' customers."""
        place = pc.index_in(part.column("customer_id"), self.customers).to_numpy()
        return {name: (words, at[place]) for name, (words, at) in self.values.items()}


def _divisions(table: pa.Table) -> list[str]:
    return sorted(set(table.column("division_name").to_pylist()))


def _validate(past: _Past, division: str, change: Commit) -> Validated:
    """One division at one cutoff; its files join the commit."""
    run, day = past.run, past.day
    part, scores = past.of_division(division)
    draws, seed = run.settings.modeling.bootstrap, run.settings.run.seed
    found = figures(scores, _prior(run, division, past.before), past.cells, draws, seed)
    drift = _drift(run, division, past.before, day, scores)
    told = alerts(division, str(day), found, drift["scores_now"])
    folder = run.workspace.output("validation") / slug(division) / str(day)
    head: dict[str, Any] = {"division": division, "cutoff": str(day)}
    window = {"window_months": run.settings.labels.window_months}
    change.json(head | window | {"cohorts": found}, folder / "metrics.json")
    change.json(head | drift, folder / "drift.json")
    change.json(head | {"alerts": told}, folder / "alerts.json")
    for name, content in _tables(scores, past.attributes(part)).items():
        change.csv(content, folder / f"{name}.csv")
    change.arrow(_frame(part, scores), folder / "validation_frame.parquet")
    return _line(division, day, found, told)


def _prior(run: Run, division: str, day: dt.date) -> dict[str, float]:
    """The cohorts' prevalence at the newest cutoff that was trained on: what was known before."""
    labels = run.engine.to_arrow(
        run.engine.read_parquet(run.workspace.labels(division, day)).select(
            "label", "is_new_logo", "is_renewal_like"
        )
    )
    label, owner, new = (
        labels.column(name).to_numpy().astype(np.float64)
        for name in ("label", "is_renewal_like", "is_new_logo")
    )
    parts = {"all": new == 0, "expansion": (new == 0) & (owner == 0), "renewal_like": owner > 0}
    return {
        name: float(label[parts[name]].mean()) if parts[name].any() else 0.5 for name in COHORTS
    }


def _drift(
    run: Run, division: str, before: dt.date, day: dt.date, scores: Scores
) -> dict[str, Any]:
    """How far features moved from the newest training cutoff, and scores from then to now."""
    first, second = (read_features(run, division, each) for each in (before, day))
    moved = [
        {"feature": name, "psi": psi(_column(first, name), _column(second, name))}
        for name in second.column_names
        if name != "customer_id" and name in first.column_names
    ]
    moved.sort(key=lambda row: (-float(str(row["psi"])), str(row["feature"])))
    return {
        "trained_up_to": str(before),
        "features": moved[:MOST_MOVED],
        "scores_now": _now(run, division, day, scores),
    }


def _column(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = table.column(name).to_numpy().astype(np.float64)
    return values


def _now(run: Run, division: str, day: dt.date, scores: Scores) -> float | None:
    """The stability index of today's scores beside those that were validated."""
    path, about = (run.workspace.output(n) for n in ("icp_scores.parquet", "scoring.json"))
    if entry(run.workspace, path) is None:
        return None
    if json.loads(about.read_bytes())["window_months"] != run.settings.labels.window_months:
        # Odds of buying in another time.
        return None
    table = pq.read_table(path, columns=["division_name", "cutoff", "icp_score"])
    table = table.filter(pc.equal(table.column("division_name"), division))
    if not table.num_rows or str(table.column("cutoff")[0].as_py())[:10] == str(day):
        return None
    return psi(scores.p, _column(table, "icp_score"))


def _tables(scores: Scores, values: Values) -> dict[str, pa.Table]:
    owned = {"owned_before": (["no", "yes"], scores.owned.astype(np.int64))}
    rows = np.arange(len(scores.p))
    found: dict[str, list[Any]] = {
        "gains": gains(scores.p, scores.label, rows, np.zeros(len(rows), dtype=np.int64)),
        "calibration": calibration_bins(scores.p, scores.label),
        "topk_scenarios": list(scenarios(scores)),
        "segment_performance": list(segments(scores, {**owned, **values})),
    }
    return {name: pa.Table.from_pylist(content) for name, content in found.items()}


def _frame(part: pa.Table, scores: Scores) -> pa.Table:
    """A row a customer: what was foretold and what came."""
    kept = part.select(
        ["customer_id", "division_name", "cutoff", "owned_before", "icp_score", "expected_gp"]
    )
    kept = kept.append_column("label", pa.array(scores.label.astype(np.int8)))
    return kept.append_column("gross_profit", pa.array(scores.gain))


def _line(division: str, day: dt.date, found: Mapping[str, Any], told: list[Any]) -> Validated:
    whole, new = found["all"], found["expansion"]
    return Validated(
        division=division,
        cutoff=day,
        customers=whole["customers"],
        buyers=whole["buyers"],
        expected_buyers=whole["expected_buyers"],
        auc=whole["auc"],
        lift_at_10=whole["lift_at_10"],
        calibration_mae=whole["calibration_mae"],
        new_auc=new["auc"],
        new_lift_at_10=new["lift_at_10"],
        gross_profit=whole["gross_profit"],
        expected_gp=whole["expected_gp"],
        alerts=tuple(alert["message"] for alert in told),
    )
