"""The list as the page shows it, against plain Python over the same rows."""

from __future__ import annotations

from math import ceil
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gosales.ui.shelf import Shelf
from gosales.ui.views.opportunities import Ask, listed, opportunities
from gosales.workspace import Workspace
from tests.ui.made import INDUSTRIES, list_rows, score_rows, write_list

COUNT = 40


def oracle(**wanted: Any) -> list[dict[str, Any]]:
    """The rows that nobody holds back and that fit, in the order of the list."""
    scores = score_rows(COUNT)
    grades = {(row["customer_id"], row["division_name"]): row["icp_grade"] for row in scores}
    rows = [row for row in list_rows(scores) if not row["control"]]
    for row in rows:
        row["division"] = row["whitespace_division"]
        row["grade"] = grades[row["customer_id"], row["division"]]
        row["industry"] = INDUSTRIES[int(row["customer_id"][1:]) % 3]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"division": "Beta"},
        {"region": "South"},
        {"rep": "Rep 3"},
        {"industry": "Steel"},
        {"grade": "B"},
        {"division": "Gamma", "region": "North", "industry": "Toys"},
    ],
)
@pytest.mark.parametrize("percent", [1, 33, 100])
def test_a_filter_and_a_capacity_keep_the_best_rows_that_fit(
    shelf: Shelf, wanted: dict[str, str], percent: int
) -> None:
    fitting = oracle(**wanted)
    expected = fitting[: ceil(len(fitting) * percent / 100)]
    view = opportunities(shelf, Ask(capacity=percent, **wanted))
    assert view.found == len(fitting)
    assert [row["rank"] for row in view.rows] == [row["rank"] for row in expected][:50]
    assert view.chosen.rows == len(expected)
    assert view.chosen.expected_gp == pytest.approx(sum(row["expected_gp"] for row in expected))
    assert view.chosen.expected_buyers == pytest.approx(sum(row["icp_score"] for row in expected))
    assert view.customers == len({row["customer_id"] for row in expected})


def test_every_point_of_the_curve_is_what_that_capacity_gives(shelf: Shelf) -> None:
    rows = oracle(division="Beta")
    view = opportunities(shelf, Ask(division="Beta"))
    for point in view.curve:
        first = rows[: ceil(len(rows) * point.percent / 100)]
        assert point.rows == len(first)
        assert point.expected_gp == pytest.approx(sum(row["expected_gp"] for row in first))


def test_without_a_capacity_the_list_is_as_it_was_made(shelf: Shelf) -> None:
    view = opportunities(shelf, Ask())
    assert [row["rank"] for row in view.rows] == [r["rank"] for r in oracle() if r["selected"]]
    assert view.chosen == view.made


def test_customers_held_back_are_nowhere(shelf: Shelf) -> None:
    held = {row["rank"] for row in list_rows(score_rows(COUNT)) if row["control"]}
    assert held
    assert not held & set(listed(shelf, Ask(capacity=100)).column("rank").to_pylist())
    assert listed(shelf, Ask(), sorted(held)).num_rows == 0


@pytest.mark.parametrize("words", ["c01", "CUSTOMER C01", "evil & <b>"])
def test_search_looks_into_names_and_ids_in_any_case(shelf: Shelf, words: str) -> None:
    view = opportunities(shelf, Ask(search=words, capacity=100))
    texts = [f"{row['customer_id']} {row['customer_name']}".lower() for row in view.rows]
    assert texts and all(words.lower() in text for text in texts)


@pytest.mark.parametrize("words", ["%", "_", "' or 1=1 --", "zzz"])
def test_search_takes_signs_as_they_are(shelf: Shelf, words: str) -> None:
    view = opportunities(shelf, Ask(search=words, capacity=100))
    assert (view.found, view.rows, view.pages) == (0, [], 1)


def test_pages_together_are_the_download(shelf: Shelf) -> None:
    ask = Ask(capacity=100, sort="customer")
    pages = opportunities(shelf, ask).pages
    assert pages > 1
    shown = [
        row["rank"]
        for number in range(1, pages + 1)
        for row in opportunities(shelf, Ask(capacity=100, sort="customer", page=number)).rows
    ]
    assert shown == listed(shelf, ask).column("rank").to_pylist()


def test_sorting_does_not_change_which_rows_the_capacity_takes(shelf: Shelf) -> None:
    plain = listed(shelf, Ask(capacity=10)).to_pylist()
    by_odds = listed(shelf, Ask(capacity=10, sort="odds")).to_pylist()
    assert sorted(row["rank"] for row in by_odds) == [row["rank"] for row in plain]
    odds = [row["odds"] for row in by_odds]
    assert odds == sorted(odds, reverse=True)


def test_owners_are_ranked_by_what_they_should_bring(shelf: Shelf) -> None:
    owners = [row for row in score_rows(COUNT) if row["owned_before"]]
    rows = listed(shelf, Ask(owned="yes")).to_pylist()
    assert len(rows) == len(owners)
    worth = [row["expected_gp"] for row in rows]
    assert worth == sorted((row["expected_gp"] for row in owners), reverse=True)
    assert rows[0]["reason"] == "2 orders in the last 12 months. Gross profit of 500"


def test_open_again_are_those_who_bought_it_long_ago(shelf: Shelf) -> None:
    rows = listed(shelf, Ask(owned="lapsed", capacity=100)).to_pylist()
    assert [row["rank"] for row in rows] == [r["rank"] for r in oracle() if r["last_bought"]]


def test_a_list_made_again_is_shown_as_it_is_now(own_shelf: Shelf, made: Workspace) -> None:
    before = opportunities(own_shelf, Ask())
    write_list(made, list_rows(score_rows(COUNT), selected=7))
    after = opportunities(own_shelf, Ask())
    assert (before.chosen.rows, after.chosen.rows) == (18, 7)
    assert before.list_id != after.list_id


def test_an_address_says_what_is_asked_and_no_more() -> None:
    assert Ask().query() == ""
    ask = Ask(search="a&b=ü", division="Post Processing", owned="yes", capacity=7, page=3)
    assert Ask.of(dict(parse_qsl(ask.query()))) == ask


def test_what_makes_no_sense_in_an_address_is_as_if_it_were_not_there() -> None:
    odd = {"capacity": "1e9", "page": "-4", "owned": "perhaps", "sort": "drop table", "x": "y"}
    assert Ask.of(odd) == Ask()
    assert Ask.of({"capacity": "700"}).capacity == 100
