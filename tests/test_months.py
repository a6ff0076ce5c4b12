"""Month arithmetic at its borders."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gosales.errors import UsageError
from gosales.months import (
    add_months,
    feature_start,
    is_month_end,
    label_window,
    month_ends,
    parse_cutoffs,
)

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))
MONTHS = st.integers(-240, 240)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-06-30", 6, "2024-12-31"),
        ("2024-06-15", 6, "2024-12-15"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2023-02-28", 12, "2024-02-29"),
        ("2024-02-28", 12, "2025-02-28"),
        ("2024-12-31", -6, "2024-06-30"),
        ("2024-01-30", 1, "2024-02-29"),
        ("2024-01-15", -1, "2023-12-15"),
        ("2024-05-31", 0, "2024-05-31"),
    ],
)
def test_months_are_added_with_month_ends_kept(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@given(DAYS, MONTHS)
def test_the_month_is_the_one_asked_for_and_month_ends_stay(start: dt.date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert is_month_end(end) if is_month_end(start) else end.day <= start.day
    if start.day <= 27:
        assert end.day == start.day


@given(DAYS, st.integers(1, 24))
def test_month_ends_come_back_from_where_they_went(start: dt.date, months: int) -> None:
    last = dt.date(start.year, start.month, calendar.monthrange(start.year, start.month)[1])
    assert add_months(add_months(last, months), -months) == last


@given(DAYS, DAYS, MONTHS)
def test_later_days_stay_later_or_equal(one: dt.date, two: dt.date, months: int) -> None:
    early, late = sorted((one, two))
    assert add_months(early, months) <= add_months(late, months)


def test_a_label_window_begins_the_day_after_the_cutoff_and_holds_its_last_day() -> None:
    window = label_window(day("2024-06-30"), 6)
    assert (window.start, window.end) == (day("2024-07-01"), day("2024-12-31"))


def test_a_feature_window_ends_on_the_cutoff_and_begins_a_day_after_its_bound() -> None:
    assert feature_start(day("2024-06-30"), 3) == day("2024-04-01")
    assert feature_start(day("2024-06-15"), 12) == day("2023-06-16")


@given(DAYS, st.integers(1, 24))
def test_the_label_window_of_a_cutoff_is_the_feature_window_of_its_end(
    cutoff: dt.date, months: int
) -> None:
    last = dt.date(cutoff.year, cutoff.month, calendar.monthrange(cutoff.year, cutoff.month)[1])
    window = label_window(last, months)
    assert feature_start(window.end, months) == window.start


def test_month_ends_lists_both_borders() -> None:
    assert month_ends(day("2023-12-31"), day("2024-03-31")) == [
        day("2023-12-31"), day("2024-01-31"), day("2024-02-29"), day("2024-03-31"),
    ]  # fmt: skip
    assert month_ends(day("2024-02-10"), day("2024-02-28")) == []


def test_cutoffs_are_sorted_and_without_repeats() -> None:
    expected = [day("2023-06-30"), day("2023-12-31")]
    assert parse_cutoffs(" 2023-12-31,2023-06-30, 2023-12-31,") == expected
    assert parse_cutoffs([day("2023-12-31"), "2023-06-30"]) == expected


@pytest.mark.parametrize(
    "word", ["2023-6-30", "30.06.2023", "2023-02-30", "9999-12-31", "20230630", "x"]
)
def test_a_word_that_is_no_date_is_named(word: str) -> None:
    with pytest.raises(UsageError, match=f"'{word}' is not a cutoff date"):
        parse_cutoffs(f"2023-12-31,{word}")


def test_no_cutoff_at_all_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="No cutoff"):
        parse_cutoffs(" , ")
