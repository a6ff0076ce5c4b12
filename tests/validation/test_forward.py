"""Forward validation: its figures are those of the frame it writes, and its alerts are true."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from gosales.errors import UsageError
from gosales.validation import validate_forward
from gosales.validation.judged import (
    Scores,
    alerts,
    figures,
    makes_groups,
    psi,
    scenarios,
    segments,
)
from gosales.workspace import Workspace
from tests.models.conftest import copied, trained
from tests.models.worlds import read_json
from tests.scoring.past import cell
from tests.whitespace.lists import LAST
from tests.whitespace.test_backtest import EARLIER, opened

__all__ = ["copied", "trained"]

PRIOR = dict.fromkeys(("all", "expansion", "renewal_like"), 0.3)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_figure_is_that_of_the_frame(copied: Workspace) -> None:
    models = sorted((p, p.read_bytes()) for p in copied.models.rglob("*") if p.is_file())
    with opened(copied) as run:
        report = validate_forward(run, ["Alpha"], [EARLIER])
    assert sorted((p, p.read_bytes()) for p in copied.models.rglob("*") if p.is_file()) == models
    folder = copied.output("validation") / "alpha" / str(EARLIER)
    frame = pq.read_table(folder / "validation_frame.parquet").to_pydict()
    labels = pq.read_table(copied.labels("Alpha", EARLIER)).to_pylist()
    bought = {row["customer_id"] for row in labels if row["label"]}
    p, label = np.array(frame["icp_score"]), np.array(frame["label"])
    assert {c for c, it in zip(frame["customer_id"], frame["label"], strict=True) if it} == bought
    whole = read_json(folder / "metrics.json")["cohorts"]["all"]
    assert whole["customers"] == len(p) and whole["buyers"] == label.sum()
    assert whole["auc"] == pytest.approx(roc_auc_score(label, p))
    assert whole["brier"] == pytest.approx(brier_score_loss(label, p))
    assert whole["expected_buyers"] == pytest.approx(p.sum())
    for name in ("buyers", "expected_buyers", "gross_profit", "expected_gp"):
        low, high = whole["intervals"][name]
        assert low < whole[name] < high
    (line,) = report.validated
    assert line.auc == whole["auc"] and line.buyers == whole["buyers"]

    top = rows(folder / "topk_scenarios.csv")
    assert {row["ranked_by"] for row in top} == {"probability", "expected_gp"}
    half = next(r for r in top if r["ranked_by"] == "probability" and float(r["k_percent"]) == 50)
    best = np.argsort(-p, kind="stable")[: int(np.ceil(len(p) / 2))]
    assert int(half["buyers"]) == label[best].sum()
    by_attribute: dict[str, int] = {}
    for row in rows(folder / "segment_performance.csv"):
        by_attribute[row["attribute"]] = by_attribute.get(row["attribute"], 0) + int(row["buyers"])
    assert "owned_before" in by_attribute and set(by_attribute.values()) == {int(label.sum())}
    assert not any(name.startswith("customer") for name in by_attribute)
    assert sum(int(row["count"]) for row in rows(folder / "gains.csv")) == len(p)
    drift = read_json(folder / "drift.json")
    assert drift["features"] and drift["scores_now"] is not None
    assert drift["trained_up_to"] < str(EARLIER)
    told = read_json(folder / "alerts.json")["alerts"]
    assert [alert["message"] for alert in told] == list(line.alerts)


def test_the_newest_cutoff_that_can_be_judged_is_the_default(copied: Workspace) -> None:
    with opened(copied) as run:
        report = validate_forward(run, ["Alpha"])
        assert report.cutoffs == (EARLIER,)
        with pytest.raises(UsageError, match="have not passed"):
            validate_forward(run, ["Alpha"], [LAST])


def test_odds_of_another_window_are_not_held_against_todays_scores(copied: Workspace) -> None:
    with opened(copied, **{"labels.window_months": 2}) as run:
        report = validate_forward(run, ["Alpha"])
    (line,) = report.validated
    folder = copied.output("validation") / "alpha" / str(line.cutoff)
    assert read_json(folder / "drift.json")["scores_now"] is None


def made(seed: int, rise: float = 1.0, customers: int = 4000) -> Scores:
    """Customers who buy with ``rise`` times the odds that were foretold."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 6, customers)
    label = (rng.random(customers) < np.minimum(p * rise, 1)).astype(np.float64)
    gain = label * 50
    return Scores(p, p * 50, rng.random(customers) < 0.5, label, gain)


def past(cutoffs: int = 20) -> list[dict[str, Any]]:
    """Earlier forecasts that came as they were foretold."""
    worlds = [made(100 + number) for number in range(cutoffs)]
    return [
        cell(number, one.p, np.full(len(one.p), 50.0), one.label, one.gain, cohort="all")
        for number, one in enumerate(worlds)
    ]


def test_scores_that_say_what_comes_raise_no_alert() -> None:
    clean = 0
    for seed in range(10):
        found = figures(made(seed), PRIOR, past(), 200, 1)
        clean += not alerts("Alpha", "2024-06-30", found, 0.1)
    assert clean >= 8  # an interval of 95 % misses now and then


@pytest.mark.parametrize(
    ("rise", "rules"), [(1.8, {"buyers", "profit"}), (0.4, {"buyers", "profit"})]
)
def test_what_came_otherwise_is_told(rise: float, rules: set[str]) -> None:
    scores = made(3, rise)
    told = alerts("Alpha", "2024-06-30", figures(scores, PRIOR, past(), 200, 1), 0.4)
    assert {alert["rule"] for alert in told} == rules | {"drift"}
    assert f"{scores.label.sum():,.0f} came" in told[0]["message"]


def test_a_division_that_nobody_bought_any_more_is_told() -> None:
    scores = made(3, 0.0)
    found = figures(scores, PRIOR, past(), 100, 1)
    assert found["all"]["auc"] is None and found["all"]["buyers"] == 0
    told = alerts("Alpha", "2024-06-30", found, None)
    assert "and 0 came" in told[0]["message"]


def test_a_ranking_by_chance_is_told() -> None:
    scores = made(5)
    shuffled = np.random.default_rng(1).permutation(scores.p)
    found = figures(
        Scores(shuffled, scores.worth, scores.owned, scores.label, scores.gain), PRIOR, [], 200, 1
    )
    rules = [alert["rule"] for alert in alerts("Alpha", "2024-06-30", found, None)]
    assert "ranking" in rules


def test_psi_knows_a_shift_and_nulls() -> None:
    rng = np.random.default_rng(2)
    one, same, other = rng.normal(size=3000), rng.normal(size=3000), rng.normal(1.5, 1, 3000)
    assert psi(one, one) == pytest.approx(0) and psi(one, same) < 0.02 < 0.25 < psi(one, other)
    blank = np.where(rng.random(3000) < 0.6, np.nan, same)
    assert psi(one, blank) > 0.25
    assert psi(np.full(50, np.nan), np.full(50, np.nan)) == pytest.approx(0)
    assert psi(np.ones(50), np.ones(80)) < 0.02


def test_scenarios_and_segments_add_up() -> None:
    scores = made(7, customers=501)
    for row in scenarios(scores):
        assert row["customers"] == int(np.ceil(round(501 * row["k_percent"] / 100, 9)))
        assert 0 <= row["share_of_buyers"] <= 1 and row["gross_profit"] == row["buyers"] * 50
    values: dict[str, Any] = {"size": (["small", "large", "unknown"], np.arange(501) % 2)}
    parts = list(segments(scores, values))
    assert [row["value"] for row in parts] == ["small", "large"]
    assert sum(row["customers"] for row in parts) == 501
    assert sum(row["buyers"] for row in parts) == scores.label.sum()


def test_two_runs_give_the_same_bytes(copied: Workspace) -> None:
    told = []
    for _ in range(2):
        with opened(copied) as run:
            validate_forward(run, ["Beta"], [dt.date(2023, 9, 30)])
        folder = copied.output("validation") / "beta" / str(EARLIER)
        told.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert told[0] == told[1] and len(told[0]) == 8


def test_an_attribute_without_groups_is_no_segment() -> None:
    words = [*(f"account {n}" for n in range(25)), "other", "unknown"]
    accounts = np.concatenate([np.arange(25), np.full(75, 25)])
    assert not makes_groups(words, accounts)
    assert makes_groups(words, accounts % 25) and makes_groups(
        ["under 5", "5 or more"], accounts % 2
    )
