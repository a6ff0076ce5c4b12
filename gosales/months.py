"""Cutoffs and windows: the one place that does month arithmetic.

History at a cutoff is ``order_date <= cutoff``. A label window of N months is
``(cutoff, cutoff + N months]`` and a feature window ``(cutoff - N months, cutoff]``.
Month ends stay month ends: 2024-06-30 plus 6 months is 2024-12-31.

Windows hang on cutoffs, of which there are few, so their bounds are computed here
in Python and joined to the data; the engines only ever compare dates.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gosales.errors import UsageError

__all__ = [
    "LAST",
    "Window",
    "add_months",
    "feature_start",
    "label_window",
    "month_ends",
    "parse_cutoffs",
    "part_of_window",
]


# Any window after it can still be told in dates.
LAST = dt.date(9900, 12, 31)


@dataclass(frozen=True)
class Window:
    """A span of days, both ends inside."""

    start: dt.date
    end: dt.date


def is_month_end(day: dt.date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month ``months`` later (or earlier), month ends kept.

    >>> add_months(dt.date(2024, 6, 30), 6)
    datetime.date(2024, 12, 31)
    >>> add_months(dt.date(2024, 6, 15), 6)
    datetime.date(2024, 12, 15)
    >>> add_months(dt.date(2023, 8, 31), 6)
    datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, last if is_month_end(day) else min(day.day, last))


def label_window(cutoff: dt.date, months: int) -> Window:
    """The days in which a purchase makes a positive label at this cutoff."""
    return Window(cutoff + dt.timedelta(days=1), add_months(cutoff, months))


def part_of_window(months: int) -> int:
    """The longest part of a window, at most half of it, that fills it without a rest.

    >>> [part_of_window(months) for months in (12, 6, 5, 3, 1)]
    [6, 3, 1, 1, 1]
    """
    return max((n for n in range(1, months // 2 + 1) if months % n == 0), default=1)


def feature_start(cutoff: dt.date, months: int) -> dt.date:
    """The first day inside the feature window ``(cutoff - months, cutoff]``."""
    return add_months(cutoff, -months) + dt.timedelta(days=1)


def month_ends(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every month end from ``first`` to ``last``, both inside."""
    day = dt.date(first.year, first.month, calendar.monthrange(first.year, first.month)[1])
    ends = []
    while day <= last:
        ends.append(day)
        day = add_months(day, 1)
    return ends


def parse_cutoffs(text: str | Iterable[str | dt.date]) -> list[dt.date]:
    """Cutoffs from a comma list or a sequence: sorted, without repeats.

    Raises UsageError that names the word which is not a date.
    """
    words = text.split(",") if isinstance(text, str) else list(text)
    cutoffs = {_parse_day(word) for word in words if str(word).strip()}
    if not cutoffs:
        raise UsageError("No cutoff given.", "Give at least one date, as in --cutoff 2024-06-30.")
    return sorted(cutoffs)


def _parse_day(word: str | dt.date) -> dt.date:
    text = str(word).strip()
    try:
        day = dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        day = None
    if day is None or day > LAST:
        raise UsageError(
            f"'{text}' is not a cutoff date.", "Write cutoffs as YYYY-MM-DD, as in 2024-06-30."
        )
    return day
