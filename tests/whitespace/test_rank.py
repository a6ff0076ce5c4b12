from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import pyarrow.parquet as pq
import pytest

from gosales.config import load_settings
from gosales.errors import MissingArtifact, NothingToDo, StaleArtifact
from gosales.pipeline.summaries import show_whitespace
from gosales.run import open_run
from gosales.screen import Screen
from gosales.whitespace import Opportunity, WhitespaceReport, rank_whitespace
from gosales.whitespace.signals import SIGNALS
from gosales.workspace import Workspace
from tests.conftest import OpenRun, fact, write_star
from tests.models.worlds import FLAGS, read_json
from tests.whitespace.lists import LAST, pairs_of, read_csv, rows_of, write_scores

STAR = [
    fact("a", "2023-01-01", "Alpha", 10),
    fact("b", "2023-12-31", "Beta", -5),
    fact("c", "2024-01-01", "Alpha", 10),
    fact("c", "2023-01-01", "Beta", 10),
]
SCORES = [
    ("a", "Alpha", 0.9, 100.0, 90.0),
    ("a", "Beta", 0.2, 50.0, 20.0),
    ("b", "Alpha", 0.3, 50.0, 20.0),
    ("b", "Beta", 0.1, 0.0, 10.0),
    ("c", "Alpha", 0.3, 50.0, 20.0),
]


def opened(workspace: Workspace, **flags: Any) -> Any:
    return open_run(workspace, load_settings(workspace.root, flags=FLAGS | flags), "test")


def test_no_row_of_any_list_was_ever_bought(trained: Workspace) -> None:
    lines = pq.read_table(trained.fact).to_pylist()
    bought = {
        (line["customer_id"], line["product_division"])
        for line in lines
        if line["order_date"] <= LAST
    }
    for name in ("whitespace.csv", f"whitespace_{LAST}.csv", f"whitespace_explanations_{LAST}.csv"):
        rows = read_csv(trained, name)
        assert rows
        assert not bought & {(row["customer_id"], row["whitespace_division"]) for row in rows}


def test_every_scored_pair_is_listed_or_was_bought(trained: Workspace) -> None:
    scores = pq.read_table(trained.output("icp_scores.parquet")).to_pylist()
    open_pairs = {(r["customer_id"], r["division_name"]) for r in scores if not r["owned_before"]}
    assert set(pairs_of(trained)) == open_pairs
    counts = read_json(trained.output(f"whitespace_metrics_{LAST}.json"))["eligibility"]
    assert counts["candidates"] == len(scores)
    assert counts["candidates"] == counts["eligible"] + sum(counts["removed"].values())
    assert counts["removed"]["bought_before"] == len(scores) - len(open_pairs)
    assert counts["written"] + counts["beyond_max_rows"] == counts["eligible"]


def test_the_list_comes_first_and_the_rest_follows_by_score(trained: Workspace) -> None:
    rows = rows_of(trained)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    selected = [row["selected"] for row in rows]
    assert selected == sorted(selected, reverse=True)
    assert 0 < sum(selected) < len(rows)
    rest = [row for row in rows if not row["selected"]]
    keys = [
        (
            -r["whitespace_score"], -r["expected_gp"], -r["icp_score"], r["whitespace_division"],
            r["customer_id"],
        )
        for r in rest
    ]  # fmt: skip
    assert keys == sorted(keys)
    assert all(0 <= row["whitespace_score"] <= 1 for row in rows)


def test_columns_and_reasons(trained: Workspace) -> None:
    head = [
        "rank", "customer_id", "customer_name", "whitespace_division", "whitespace_score",
        "icp_score", "expected_gp", "reason", "selected", "control",
    ]  # fmt: skip
    rows = rows_of(trained)
    assert list(rows[0])[: len(head)] == head
    assert {"probability_percentile", *(f"{name}_signal" for name in SIGNALS)} < set(rows[0])
    assert all(0 < len(row["reason"]) <= 150 for row in rows)
    told = read_csv(trained, f"whitespace_explanations_{LAST}.csv")
    assert {row["rank"] for row in told} == {str(row["rank"]) for row in rows}
    assert [row["number"] for row in told if row["rank"] == "1"][:1] == ["1"]


def test_sums_and_capacities_add_up(trained: Workspace) -> None:
    rows = rows_of(trained)
    listed = [row for row in rows if row["selected"] and not row["control"]]
    metrics = read_json(trained.output(f"whitespace_metrics_{LAST}.json"))
    assert metrics["capacity"]["listed"] == len(listed)
    worth = sum(row["expected_gp"] for row in listed)
    assert metrics["expected_gp"] == pytest.approx(worth, abs=0.01)
    for name in ("expected_gp", "expected_buyers"):
        likely, certain = (metrics["intervals"][coverage][name] for coverage in ("80%", "95%"))
        assert 0 < certain[0] < likely[0] < metrics[name] < likely[1] < certain[1]
    assert metrics["expected_buyers"] == pytest.approx(
        sum(r["icp_score"] for r in listed), abs=1e-3
    )
    assert sum(metrics["shares"]["list"].values()) == pytest.approx(1)
    scores = [row["whitespace_score"] for row in rows]
    for line in read_csv(trained, f"thresholds_whitespace_{LAST}.csv"):
        reach = [score for score in scores if score >= float(line["threshold"])]
        assert len(reach) == int(line["count"])
        assert len(reach) >= len(scores) * float(line["k_percent"]) / 100


def test_owning_means_any_line_by_the_cutoff(engine_name: str, run_in: OpenRun) -> None:
    """A return on the cutoff day counts, an order on the day after does not."""
    with run_in(**{"database.engine": engine_name}) as run:
        write_star(run, STAR)
        write_scores(run, SCORES)
        report = rank_whitespace(run, LAST)
        listed = pairs_of(run.workspace)
    assert listed == [("b", "Alpha"), ("c", "Alpha"), ("a", "Beta")]
    assert (report.candidates, report.eligible, report.listed) == (5, 3, 1)
    assert report.best[0].reason == "One; two"


def test_weights_and_length_come_from_the_settings(run_in: OpenRun) -> None:
    flags = {
        "whitespace.weights": {"probability": 1.0},
        "whitespace.max_rows": 2,
        "whitespace.capacity_percents": [50],
    }
    with run_in(**flags) as run:
        write_star(run, STAR)
        write_scores(run, [("b", "Alpha", 0.1, 10.0, 90.0), ("c", "Alpha", 0.3, 90.0, 20.0),
                           ("a", "Beta", 0.2, 50.0, 20.0)])  # fmt: skip
        report = rank_whitespace(run)
        rows = rows_of(run.workspace)
        (line,) = read_csv(run.workspace, f"thresholds_whitespace_{LAST}.csv")
    assert [row["customer_id"] for row in rows] == ["c", "a"]
    second = 1 + math.log10(0.2 / 0.3) / 3
    assert [row["whitespace_score"] for row in rows] == pytest.approx([1.0, second])
    assert (report.eligible, report.listed) == (3, 1)
    assert line["count"] == "2"
    assert float(line["threshold"]) == pytest.approx(second, abs=1e-6)


def test_a_list_in_hindsight_says_so_and_shows_no_figure(run_in: OpenRun) -> None:
    with run_in(**{"labels.window_months": 1}) as run:
        write_star(run, [*STAR, fact("a", "2024-03-01", "Beta", 9)])
        for hindsight in ((), ("Beta",)):
            write_scores(run, SCORES, hindsight=hindsight)
            report = rank_whitespace(run)
            told = read_json(run.workspace.output(f"whitespace_metrics_{LAST}.json"))
            assert report.hindsight == hindsight
            assert told["in_sample"] is bool(hindsight)
            assert told["performance"]["shown"] is not bool(hindsight)
            assert ("captured" in told["performance"]) is not bool(hindsight)
            assert any("in-sample" in line for line in run.warnings) is bool(hindsight)


def test_performance_is_what_the_window_brought(run_in: OpenRun) -> None:
    """c buys Alpha in the window, a buys Beta after it."""
    flags = {"labels.window_months": 1, "whitespace.capacity_percents": [34, 100]}
    with run_in(**flags) as run:
        write_star(run, [*STAR, fact("a", "2024-03-01", "Beta", 9)])
        write_scores(run, SCORES)
        rank_whitespace(run)
        told = read_json(run.workspace.output(f"whitespace_metrics_{LAST}.json"))["performance"]
    assert told["window_end"] == "2024-01-31"
    few, all_rows = told["captured"]
    assert (few["rows"], few["buyers"], few["gross_profit"]) == (2, 1, 10.0)
    assert (all_rows["rows"], all_rows["buyers"], all_rows["share_of_buyers"]) == (3, 1, 1.0)


def test_ranking_twice_gives_the_same_bytes(copied: Workspace) -> None:
    names = [
        "whitespace.csv", f"whitespace_{LAST}.csv", f"whitespace_metrics_{LAST}.json",
        "whitespace_ledger.parquet",
    ]  # fmt: skip
    before = [copied.output(name).read_bytes() for name in names]
    with opened(copied) as run:
        rank_whitespace(run, LAST)
    assert [copied.output(name).read_bytes() for name in names] == before


def test_clear_errors(run_in: OpenRun) -> None:
    with run_in() as run:
        write_star(run, STAR)
        with pytest.raises(MissingArtifact, match="gosales score"):
            rank_whitespace(run)
        write_scores(run, SCORES)
        with pytest.raises(NothingToDo, match="No model could be had at 2023-06-30"):
            rank_whitespace(run, dt.date(2023, 6, 30))
        write_scores(run, SCORES[:1])
        with pytest.raises(NothingToDo, match="no whitespace"):
            rank_whitespace(run)
    with (
        run_in(**{"labels.window_months": 2}) as run,
        pytest.raises(StaleArtifact, match="a window of 6 months, not of 2"),
    ):
        rank_whitespace(run)


@pytest.mark.parametrize(("worth", "told"), [(4148.6, "4,149"), (10.2, "10"), (0.4062, "0.41")])
def test_small_amounts_are_told_to_the_hundredth(
    trained: Workspace, capsys: pytest.CaptureFixture[str], worth: float, told: str
) -> None:
    """A log may be kept in thousands: nothing but noughts would tell nothing."""
    best = Opportunity(1, "c1", "Acme", "Alpha", 0.4, worth, "Because.")
    report = WhitespaceReport(
        LAST, 2, {}, 2, 1, 0, worth, (worth, worth), hindsight=(), best=(best,)
    )
    with open_run(trained, load_settings(trained.root), "test") as run:
        show_whitespace(report, run, Screen())
    out = capsys.readouterr().out
    assert re.search(rf"Alpha +40% +{re.escape(told)} ", out)
    assert f"worth {told} expected gross profit, likely {told} to {told} (80 %)" in out
