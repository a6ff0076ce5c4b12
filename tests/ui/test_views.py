"""Views over a workspace that is whole, and over ones that are not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gosales.config import load_settings
from gosales.errors import GoSalesError, IntegrityError, MissingArtifact, StaleArtifact
from gosales.run import open_run
from gosales.settings import WhitespaceWeights
from gosales.ui.shelf import Shelf
from gosales.ui.views.account import SIGNALS, account, find_customers, score_parts
from gosales.ui.views.data import data_quality
from gosales.ui.views.matrix import groups, members
from gosales.ui.views.models import model, summaries
from gosales.ui.views.opportunities import Ask, opportunities
from gosales.ui.views.overview import overview
from gosales.ui.views.profile import profile, profiled
from gosales.ui.views.runs import run_detail, runs
from gosales.workspace import Workspace
from tests.ui.made import DIVISIONS, list_rows, open_shelf, restamp, score_rows, spoil


def test_the_overview_counts_what_the_artifacts_hold(shelf: Shelf) -> None:
    view = overview(shelf)
    free = [row for row in score_rows(40) if not row["owned_before"]]
    handed = [row for row in list_rows(score_rows(40)) if row["selected"] and not row["control"]]
    assert view.open_gp == pytest.approx(sum(row["expected_gp"] for row in free))
    assert view.listed_gp == pytest.approx(sum(row["expected_gp"] for row in handed))
    assert {market.division for market in view.markets} == {"Beta", "Gamma"}
    assert view.facts["likely_gp"] == [1200.0, 4321.0]
    assert {step.name: step.count for step in view.funnel} == {
        "Order lines": 90,
        "Customers": 40,
        "Scored pairs": 120,
        "Open pairs": 70,
        "Eligible": 70,
        "Opportunities": 18,
    }


def test_an_empty_workspace_is_said_to_be_empty(tmp_path: Path) -> None:
    shelf = open_shelf(Workspace(tmp_path))
    view = overview(shelf)
    assert view.is_empty and not view.markets
    assert {line.state for line in view.health} == {"missing"}
    with pytest.raises(MissingArtifact, match="icp_scores"):
        opportunities(shelf, Ask())
    with pytest.raises(MissingArtifact, match="no trained model"):
        summaries(shelf)
    assert runs(shelf) == []
    shelf.close()


def test_what_was_not_made_is_named_with_its_command(shelf: Shelf) -> None:
    alerts = {alert.text: alert.remedy for alert in overview(shelf).alerts}
    assert alerts["Models: not made yet."] == "gosales train"
    assert alerts["Whitespace matrix: not made yet."] == "gosales matrix"


def test_a_file_that_was_changed_is_never_shown(made: Workspace, own_shelf: Shelf) -> None:
    opportunities(own_shelf, Ask())  # it was sound when it was first read
    spoil(made.output("whitespace.parquet"))
    with pytest.raises(IntegrityError, match=r"whitespace\.parquet"):
        opportunities(own_shelf, Ask())
    line = next(one for one in overview(own_shelf).health if one.name == "Whitespace list")
    assert line.state == "broken"
    assert any(alert.level == "error" for alert in overview(own_shelf).alerts)


def test_the_newest_validation_is_told_not_more_than_a_few(
    made: Workspace, own_shelf: Shelf
) -> None:
    with (
        open_run(made, load_settings(made.root), "test") as run,
        run.commit("validate") as change,
    ):
        change.made_from(made.fact)
        for day, count in (("2023-06-30", 1), ("2023-12-31", 7)):
            for division in ("alpha", "beta"):
                texts = [{"message": f"{division} {n} at {day}"} for n in range(count)]
                path = made.output("validation") / division / day / "alerts.json"
                change.json({"division": division, "cutoff": day, "alerts": texts}, path)
    told = [alert.text for alert in overview(own_shelf).alerts if "at 2023" in alert.text]
    assert told == [f"alpha {n} at 2023-12-31" for n in range(5)]
    more = [alert.text for alert in overview(own_shelf).alerts if "more of" in alert.text]
    assert more == ["9 more of 2023-12-31 stand in gosales/outputs/validation."]


def test_a_list_older_than_its_scores_is_stale(made: Workspace, own_shelf: Shelf) -> None:
    restamp(made, made.output("icp_scores.parquet"), sha256="0" * 64)
    restamp(made, made.output("icp_scores.parquet"), inputs={})
    states = {line.name: line.state for line in overview(own_shelf).health}
    assert states["Whitespace list"] == "stale"
    with pytest.raises(GoSalesError):
        opportunities(own_shelf, Ask())


def test_stale_is_told_apart_from_broken(made: Workspace, own_shelf: Shelf) -> None:
    restamp(made, made.output("whitespace.parquet"), inputs={"gosales/outputs/scoring.json": "0"})
    with pytest.raises(StaleArtifact, match=r"scoring\.json"):
        opportunities(own_shelf, Ask())


def test_the_account_shows_orders_and_open_divisions(shelf: Shelf) -> None:
    view = account(shelf, "C004")
    assert view is not None
    assert {line.division for line in view.owned_lines} == {"Alpha", "Beta"}
    assert [line.division for line in view.open_lines] == ["Gamma"]
    assert view.timeline == [
        (dt.date(2023, 1, 1), "Alpha", 104.0),
        (dt.date(2023, 4, 1), "Alpha", 104.0),
        (dt.date(2024, 1, 1), "Beta", 50.0),
    ]
    beta = next(line for line in view.lines if line.division == "Beta")
    assert (beta.orders, beta.gross_profit, beta.last_bought) == (1, 50.0, dt.date(2024, 2, 1))
    assert view.chosen is not None and view.chosen.division == "Gamma"


def test_the_account_tells_nothing_sensitive(shelf: Shelf) -> None:
    view = account(shelf, "C001")
    assert view is not None
    assert view.attributes == {"industry": "Toys"}


def test_the_parts_of_a_score_add_up_to_it() -> None:
    listing = {"probability_signal": 0.9, "expected_gp_signal": 0.5, "affinity_signal": None}
    parts = score_parts(listing, {"probability": 3.0, "expected_gp": 1.0, "affinity": 0.0})
    assert [(name, weight) for name, _, weight, _ in parts] == [
        ("odds", 0.75),
        ("expected profit", 0.25),
    ]
    assert sum(part for *_, part in parts) == pytest.approx(0.75 * 0.9 + 0.25 * 0.5)
    assert score_parts(None, {"probability": 1.0}) == []
    assert set(SIGNALS) == set(WhitespaceWeights.model_fields)


def test_a_customer_that_is_not_there_is_none(shelf: Shelf) -> None:
    assert account(shelf, "' or 1=1") is None


def test_customers_are_found_by_name_and_id(shelf: Shelf) -> None:
    assert [row["customer_id"] for row in find_customers(shelf, "c007")] == ["C007"]
    assert find_customers(shelf, "")[0]["customer_id"] == "C036"  # the most profitable


def test_the_matrix_adds_up_whichever_way_it_is_grouped(demo_shelf: Shelf) -> None:
    whole = members(demo_shelf, "", "")
    assert whole.count > 250 and len(whole.rows) == 50
    totals = [total for _, _, total, _ in whole.rows]
    assert totals == sorted(totals, reverse=True)
    for by in ("region", "industry"):
        view = groups(demo_shelf, by, "worth")
        for value, _, total, cells in view.rows[:2]:
            assert total == pytest.approx(sum(cell.value or 0 for cell in cells), abs=0.5)
            inside = members(demo_shelf, by, value)
            pages = [members(demo_shelf, by, value, n + 1) for n in range(inside.pages)]
            summed = sum(total for page in pages for _, _, total, _ in page.rows)
            assert summed == pytest.approx(total, abs=1)


def test_a_cell_is_the_darker_the_more_is_in_it(demo_shelf: Shelf) -> None:
    cells = [c for row in groups(demo_shelf, "region", "worth").rows for c in row[3] if c.value]
    cells.sort(key=lambda cell: cell.value or 0)
    levels = [cell.level for cell in cells]
    assert levels == sorted(levels) and levels[-1] == 7


def test_reach_is_a_share_of_customers(demo_shelf: Shelf) -> None:
    cells = [cell for row in groups(demo_shelf, "region", "reach").rows for cell in row[3]]
    assert all(0 <= (cell.value or 0) <= 1 for cell in cells)


def test_similar_customers_bought_it_and_share_divisions(demo_shelf: Shelf) -> None:
    best = opportunities(demo_shelf, Ask()).rows[0]
    view = account(demo_shelf, best["customer_id"], best["division"])
    assert view is not None and view.chosen is not None
    assert view.chosen.division == best["division"] and not view.chosen.owned
    own = {line.division for line in view.owned_lines}
    for row in view.similar:
        other = account(demo_shelf, row["customer_id"])
        assert other is not None
        theirs = {line.division for line in other.owned_lines}
        assert best["division"] in theirs
        assert set(row["divisions"]) == own & theirs - {best["division"]}
        assert row["shared"] == len(row["divisions"])


def test_an_account_names_the_features_it_rests_on(demo_shelf: Shelf) -> None:
    best = opportunities(demo_shelf, Ask()).rows[0]
    view = account(demo_shelf, best["customer_id"], best["division"])
    assert view is not None and view.measures
    assert all(one.description and "__" in one.feature for one in view.measures)
    weights = [one.weight for one in view.measures]
    assert weights == sorted(weights, reverse=True)
    assert view.parts and view.chosen is not None and view.chosen.listing is not None
    whole = sum(part for *_, part in view.parts)
    assert whole == pytest.approx(view.chosen.listing["whitespace_score"], abs=1e-6)


def test_the_overview_warns_of_the_models_that_the_models_page_doubts(demo_shelf: Shelf) -> None:
    weak = {line.division for line in summaries(demo_shelf) if line.beats_rule is False}
    told = [a.text for a in overview(demo_shelf).alerts if "recency-frequency" in a.text]
    assert bool(told) == bool(weak)
    assert all(name in text for text in told for name in weak)


def test_each_model_is_shown_beside_its_baselines(demo_shelf: Shelf) -> None:
    lines = summaries(demo_shelf)
    assert lines
    view = model(demo_shelf, lines[0].division)
    assert view.gains and view.calibration and view.thresholds and view.features
    assert {row["outcome"] for row in view.guardrails} <= {"warning", "acted", "ok"}
    figures = view.figures["All customers"]
    assert figures[0].title == "Lift in the top 10 %"
    assert figures[0].baselines["prevalence"] == 1.0


def test_profiles_are_the_surest_signs_first(demo_shelf: Shelf) -> None:
    known = profiled(demo_shelf, [line.division for line in summaries(demo_shelf)])
    assert known
    lows = [float(row["lift_low"]) for row in profile(demo_shelf, known[0]).signs]
    assert lows == sorted(lows, reverse=True)


def test_an_account_traces_each_reason_to_its_feature(demo_shelf: Shelf) -> None:
    best = opportunities(demo_shelf, Ask()).rows[0]
    view = account(demo_shelf, best["customer_id"], best["division"])
    assert view is not None and view.chosen is not None
    assert [one.reason for one in view.grounds] == view.chosen.reasons
    for one in view.grounds:
        assert one.times > 1 and one.description != one.feature


def test_every_row_in_quarantine_is_accounted_for(demo_shelf: Shelf) -> None:
    view = data_quality(demo_shelf)
    assert view.report["rows_quarantined"] > 0
    assert sum(row["rows"] for row in view.quarantine_by_rule) == view.report["rows_quarantined"]
    rule = view.by_rule[0]
    one = data_quality(demo_shelf, rule["rule"])
    assert {row["rule"] for row in one.findings} == {rule["rule"]}


def test_a_star_without_checks_is_still_shown(shelf: Shelf) -> None:
    view = data_quality(shelf)
    assert view.facts["divisions"] == sorted(DIVISIONS)[:2]  # Gamma was never sold
    assert (view.count, view.quarantine) == (0, None)


def test_runs_are_listed_and_a_killed_one_is_unknown(made: Workspace, own_shelf: Shelf) -> None:
    (made.outputs / "runs" / "20990101T000000-star-1").mkdir()
    lines = runs(own_shelf)
    assert lines[0].status == "unknown" and {line.status for line in lines[1:]} == {"done"}
    detail = run_detail(own_shelf, lines[1].run_id)
    assert detail is not None and "locale" in detail.settings
    assert run_detail(own_shelf, "../..") is None
    assert run_detail(own_shelf, "nothing") is None
