"""The calendar that is the wall: days, months and quarters as each cutoff sees them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosales.features.calendar import calendar
from gosales.months import add_months, feature_start

FIRST, LAST = dt.date(2020, 1, 1), dt.date(2024, 12, 31)
days = st.dates(FIRST, LAST)


@settings(max_examples=60, deadline=None)
@given(cutoff=days)
def test_months_ago_agrees_with_every_window(cutoff: dt.date) -> None:
    for row in calendar([cutoff], FIRST, LAST, 60).to_pylist()[::7]:
        day = row["order_date"]
        for months in (1, 3, 6, 12, 24):
            inside = feature_start(cutoff, months) <= day <= cutoff
            assert (row["months_ago"] < months) == inside


@settings(max_examples=30, deadline=None)
@given(cutoff=days)
def test_no_day_after_the_cutoff_and_every_day_up_to_it(cutoff: dt.date) -> None:
    rows = calendar([cutoff], FIRST, LAST, 60).to_pylist()
    assert {row["order_date"] for row in rows} == {
        FIRST + dt.timedelta(n) for n in range((cutoff - FIRST).days + 1)
    }
    assert all(row["days_ago"] == (cutoff - row["order_date"]).days for row in rows)
    assert all(row["quarter"] == (row["order_date"].month - 1) // 3 + 1 for row in rows)


@pytest.mark.parametrize("cutoff", ["2024-02-29", "2023-02-28", "2024-06-30", "2024-03-30"])
def test_month_ends_open_and_close_windows(cutoff: str) -> None:
    day = dt.date.fromisoformat(cutoff)
    seen = {r["order_date"]: r["months_ago"] for r in calendar([day], FIRST, LAST, 60).to_pylist()}
    for months in (1, 3, 12):
        assert seen[add_months(day, -months)] == months
        assert seen[add_months(day, -months) + dt.timedelta(1)] == months - 1


def test_a_cutoff_after_the_data_counts_from_the_cutoff() -> None:
    rows = calendar([dt.date(2025, 3, 31)], FIRST, LAST, 60).to_pylist()
    newest = max(rows, key=lambda row: row["order_date"])
    assert (newest["order_date"], newest["days_ago"], newest["months_ago"]) == (LAST, 90, 3)
