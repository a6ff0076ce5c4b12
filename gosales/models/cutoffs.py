"""Which cutoffs a division is trained on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gosales.errors import NothingToDo, UsageError
from gosales.etl.star import StarFacts
from gosales.months import add_months, month_ends
from gosales.settings import ModelingSettings

__all__ = ["training_cutoffs"]

# A cutoff needs about a quarter of history before it.
HISTORY_DAYS = 85


def training_cutoffs(
    given: Sequence[dt.date] | None,
    settings: ModelingSettings,
    window_months: int,
    star: StarFacts,
) -> list[dt.date]:
    """The given or configured cutoffs, or the newest month ends whose window has closed.

    Raises UsageError for a named cutoff whose window has not closed or that precedes the
    log; NothingToDo when the log is too short for any.
    """
    named = given if given is not None else settings.cutoffs
    if isinstance(named, str):
        return _automatic(
            3 if named == "quarterly" else 1, settings.max_cutoffs, window_months, star
        )
    cutoffs = sorted({day for day in named if isinstance(day, dt.date)})
    if not cutoffs:
        raise UsageError(
            "No cutoff to train on.", "Give dates, as in --cutoffs 2023-06-30,2023-12-31."
        )
    newest = add_months(star.last_order, -window_months)
    late = [day for day in cutoffs if add_months(day, window_months) > star.last_order]
    if late:
        raise UsageError(
            f"The label window of {_list(late)} has not closed: {window_months} months after it "
            f"is later than the last order, {star.last_order}.",
            f"Train on cutoffs up to {newest}.",
        )
    early = [day for day in cutoffs if day < star.first_order]
    if early:
        raise UsageError(f"No order precedes {_list(early)}: the log starts {star.first_order}.")
    return cutoffs


def _automatic(step: int, most: int, window_months: int, star: StarFacts) -> list[dt.date]:
    """The newest month ends (or quarter ends, ``step`` 3) whose window has closed."""
    first = star.first_order + dt.timedelta(days=HISTORY_DAYS)
    closed = [
        day
        for day in month_ends(first, star.last_order)
        if day.month % step == 0
        and day >= first
        and add_months(day, window_months) <= star.last_order
    ]
    if not closed:
        raise NothingToDo(
            f"The log ({star.first_order} to {star.last_order}) is too short: no "
            f"{'quarter' if step == 3 else 'month'} end has a quarter of history before it and "
            f"{window_months} months after it.",
            "Use a shorter label window (labels.window_months) or a longer log.",
        )
    return closed[-most:]


def _list(days: Sequence[dt.date]) -> str:
    return ", ".join(str(day) for day in days)
