from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gosales.config import load_settings
from gosales.errors import IntegrityError, NothingToDo
from gosales.features import read_features
from gosales.models import load_design, load_model
from gosales.models.frame import load_frame
from gosales.run import open_run
from gosales.scoring import score
from gosales.scoring.grades import grade
from gosales.scoring.reasons import FALLBACK, WEAK
from gosales.workspace import Workspace
from tests.conftest import write_star
from tests.models.worlds import FLAGS, read_json, sales
from tests.scoring.truth import verified

COLUMNS = [
    "customer_id", "customer_name", "division_name", "cutoff", "icp_score", "icp_percentile",
    "icp_grade", "owned_before", "expected_gp", "reason_1", "reason_2", "reason_3",
]  # fmt: skip
LAST = dt.date(2023, 12, 31)


def opened(workspace: Workspace, **flags: Any) -> Any:
    return open_run(workspace, load_settings(workspace.root, flags=FLAGS | flags), "test")


def scores(workspace: Workspace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(workspace.output("icp_scores.parquet")).to_pylist()
    return rows


def test_scores_have_the_promised_columns_and_ranges(trained: Workspace) -> None:
    table = pq.read_table(trained.output("icp_scores.parquet"))
    assert table.column_names == COLUMNS
    header = trained.output("icp_scores.csv").read_text().splitlines()[0]
    assert header == ",".join(COLUMNS)
    rows = table.to_pylist()
    assert {row["division_name"] for row in rows} == {"Alpha", "Beta", "Fresh"}
    assert len(rows) == len({(row["customer_id"], row["division_name"]) for row in rows}) == 660
    for row in rows:
        assert row["cutoff"] == LAST
        assert 0 < row["icp_score"] < 1
        assert 0 <= row["icp_percentile"] <= 100
        assert row["expected_gp"] >= 0
        assert row["customer_name"] == f"Customer {row['customer_id']}"


def test_percentiles_are_uniform_and_grades_follow_them(trained: Workspace) -> None:
    for division in ("Alpha", "Beta"):
        rows = [row for row in scores(trained) if row["division_name"] == division]
        percentiles = np.array([row["icp_percentile"] for row in rows])
        assert percentiles.mean() == pytest.approx(50, abs=0.01)
        assert percentiles.max() > 99
        odds = np.array([row["icp_score"] for row in rows])
        assert (np.diff(odds) <= 0).all()
        assert (np.diff(percentiles) <= 0).all()
        expected = grade(percentiles, [80, 60, 40, 20, 10])
        assert [row["icp_grade"] for row in rows] == expected
        assert set(expected) == set("ABCDEF")


def test_owned_before_is_what_the_star_says(trained: Workspace) -> None:
    lines = pq.read_table(trained.fact, columns=["customer_id", "product_division"]).to_pylist()
    bought = {(row["customer_id"], row["product_division"]) for row in lines}
    for row in scores(trained):
        assert row["owned_before"] == ((row["customer_id"], row["division_name"]) in bought)


def test_scoring_a_training_row_gives_the_training_prediction_to_the_bit(
    copied: Workspace,
) -> None:
    day = dt.date(2023, 9, 30)
    with opened(copied) as run:
        model = load_model(run, copied.model("Beta"))
        frame = load_frame(run, "Beta", [dt.date(2023, 6, 30), day], 3)
        names = list(model.classifier.feature_names_in_)
        x = frame.x[:, [frame.names.index(name) for name in names]]
        rows = frame.cutoff_rows(day)
        trained_on = dict(
            zip(frame.customers[rows], model.classifier.probability(x)[rows], strict=True)
        )
        report = score(run, day, ["Beta"])
        assert any("hindsight" in warning for warning in run.warnings)
        assert report.hindsight == ("Beta",)
    assert report.cutoff == day
    found = {row["customer_id"]: row["icp_score"] for row in scores(copied)}
    assert found == trained_on


def test_expected_profit_is_probability_times_deal_value(trained: Workspace) -> None:
    with opened(trained) as run:
        model = load_model(run, trained.model("Beta"))
        day = scores(trained)[0]["cutoff"]
        design = load_design(run, "Beta", day)
    names = [str(name) for name in model.classifier.feature_names_in_]
    x = design.x[:, [design.names.index(name) for name in names]]
    worth = dict(zip(design.customers, model.classifier.deal_value(x), strict=True))
    assert min(worth.values()) > 0
    for row in scores(trained):
        if row["division_name"] == "Beta":
            expected = row["icp_score"] * worth[row["customer_id"]]
            assert row["expected_gp"] == pytest.approx(expected, abs=0.006)


def test_reasons_are_there_distinct_and_short(trained: Workspace) -> None:
    rows = scores(trained)
    told = [[row[f"reason_{n}"] for n in (1, 2, 3)] for row in rows]
    assert all(reasons[0] for reasons in told)
    assert sum(bool(reasons[2]) for reasons in told) > len(told) / 4
    for reasons in told:
        said = [reason for reason in reasons if reason]
        assert len(said) == len(set(said))
        assert all(len(reason) <= 150 and "__" not in reason for reason in said)
        starts = [re.sub(r"[\d,.%]+|months?|in the last|so far", "", reason) for reason in said]
        assert len(starts) == len({start.strip() for start in starts})


def test_reasons_are_true_of_the_customer(trained: Workspace) -> None:
    """Checked against the star itself, not against the features."""
    own: dict[str, list[dict[str, Any]]] = {}
    for line in pq.read_table(trained.fact).to_pylist():
        own.setdefault(line["customer_id"], []).append(line)
    told = [
        (row["customer_id"], row[f"reason_{n}"])
        for row in scores(trained)
        for n in (1, 2, 3)
        if row[f"reason_{n}"] and row[f"reason_{n}"] != FALLBACK
    ]
    checked = [reason for customer, reason in told if verified(reason, own[customer], LAST)]
    assert len(checked) > 0.7 * len(told)


def test_every_reason_is_traced_to_a_feature_and_its_value(trained: Workspace) -> None:
    grounds = pq.read_table(trained.output("icp_reasons.parquet")).to_pylist()
    told = {
        (row["customer_id"], row["division_name"], n): row[f"reason_{n}"]
        for row in scores(trained)
        for n in (1, 2, 3)
        if row[f"reason_{n}"] and row[f"reason_{n}"] != FALLBACK
    }
    keys = ("customer_id", "division_name", "number")
    assert told == {tuple(row[key] for key in keys): row["reason"] for row in grounds}
    with opened(trained) as run:
        table = read_features(run, "Alpha", LAST)
    known = {row["customer_id"]: row for row in table.to_pylist()}
    mine = [row for row in grounds if row["division_name"] == "Alpha"]
    assert len(mine) > 100
    for row in mine:
        assert row["contribution"] >= WEAK
        value = known[row["customer_id"]][row["feature"]]
        assert row["value"] == pytest.approx(value, rel=1e-6)


def test_scoring_twice_gives_the_same_bytes(copied: Workspace) -> None:
    names = ("icp_scores.csv", "icp_scores.parquet", "icp_reasons.parquet", "scoring.json")
    names += ("forecasts.parquet",)
    before = [copied.output(name).read_bytes() for name in names]
    with opened(copied) as run:
        score(run)
    assert [copied.output(name).read_bytes() for name in names] == before


def test_earlier_forecasts_add_up_to_the_figures_of_the_models(trained: Workspace) -> None:
    cells = pq.read_table(trained.output("forecasts.parquet")).to_pylist()
    assert {cell["division_name"] for cell in cells} >= {"Alpha", "Beta"}
    told = read_json(trained.output("metrics_alpha.json"))
    for cohort, part in {"all": told, **told["cohorts"]}.items():
        mine = [c for c in cells if c["division_name"] == "Alpha" and c["cohort"] == cohort]
        assert {c["cutoff"] for c in mine} <= set(told["evaluation"]["reported_cutoffs"])
        assert len({c["cutoff"] for c in mine}) == len(mine) and all(c["in_time"] for c in mine)
        assert sum(c["customers"] for c in mine) == part["rows"]
        assert sum(c["buyers"] for c in mine) == part["positives"]
        value = told["value"][cohort]
        assert sum(c["expected_gp"] for c in mine) == pytest.approx(value["expected_gp"])
        assert sum(c["gross_profit"] for c in mine) == pytest.approx(value["realised_gp"])


def test_divisions_without_a_model_are_named(copied: Workspace) -> None:
    with opened(copied) as run:
        report = score(run)
        assert set(report.skipped) == {"Gone", "Tiny"}
        for division in ("Gone", "Tiny"):
            assert sum(f"{division} is not scored" in warning for warning in run.warnings) == 1
    assert report.rows == sum(line.customers for line in report.scored) == len(scores(copied))


def test_nothing_to_do_without_any_model(workspace: Workspace) -> None:
    with opened(workspace) as run:
        write_star(run, sales(20))
        with pytest.raises(NothingToDo, match="gosales train") as error:
            score(run)
    assert error.value.exit_code == 5


def test_a_tampered_model_stops_the_scoring(copied: Workspace) -> None:
    path = copied.model("Beta") / "model.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"0.", b"1.", 1))
    assert path.read_bytes() != whole
    before = copied.output("icp_scores.csv").read_bytes()
    with opened(copied) as run, pytest.raises(IntegrityError) as error:
        score(run)
    assert error.value.exit_code == 6
    assert copied.output("icp_scores.csv").read_bytes() == before


@pytest.mark.parametrize("fault", ["missing", "retyped"])
def test_features_that_changed_since_training_are_refused(
    copied: Workspace, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    module = importlib.import_module("gosales.scoring.score")
    path = copied.features("Beta", LAST)
    table = pq.read_table(path)
    with opened(copied) as run:
        name = next(
            str(name)
            for name in load_model(run, copied.model("Beta")).classifier.feature_names_in_
            if name != "rfm__div__tx_n__life"
        )
        place = table.column_names.index(name)
        if fault == "missing":
            spoilt = table.drop_columns([name])
        else:
            kind = pa.float32() if table.schema.field(name).type == pa.float64() else pa.float64()
            spoilt = table.set_column(place, name, table.column(name).cast(kind, safe=False))
        with run.commit("features") as change:
            change.arrow(spoilt, path)
        monkeypatch.setattr(module, "ensure_features", lambda *args: None)
        report = score(run)
        assert load_design(run, "Beta", LAST).x.shape[0] == 220
    assert name in report.skipped["Beta"]
    assert fault == "retyped" or f"{name} is missing" in report.skipped["Beta"]
    assert [line.division for line in report.scored] == ["Alpha", "Fresh"]


def test_a_model_older_than_its_data_is_used_with_a_warning(copied: Workspace) -> None:
    day = dt.date(2023, 9, 30)
    path = copied.labels("Beta", day)
    with opened(copied) as run:
        with run.commit("labels") as change:
            change.arrow(pq.read_table(path).slice(1), path)
        report = score(run)
        assert any("The model of Beta is older than its data" in w for w in run.warnings)
    assert "Beta" in {line.division for line in report.scored}
