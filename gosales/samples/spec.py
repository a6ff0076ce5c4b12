"""What to simulate: one frozen specification, checked when it is made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gosales.errors import UsageError

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "MONTHS",
    "WINDOW_MONTHS",
    "SimulationSpec",
    "month_index",
    "shift_month",
]

FIRST_DAY = dt.date(2021, 1, 1)
LAST_DAY = dt.date(2024, 12, 31)
MONTHS = 48
"""Months simulated; month 0 is January 2021."""
WINDOW_MONTHS = 6
"""The truth's window; also the least lag of one division's effect on another."""


def month_index(day: dt.date) -> int:
    """Months since January 2021; 0 within it."""
    return (day.year - FIRST_DAY.year) * 12 + day.month - FIRST_DAY.month


def shift_month(day: dt.date) -> int:
    """The first month that starts on or after the day of a shift."""
    return month_index(day) + (day.day > 1)


@dataclass(frozen=True)
class SimulationSpec:
    """Size, seed and temper of a simulated log; the same spec gives the same bytes.

    - ``customers``: how many there are; ``rows``: about how many documents they make
      (None: what comes naturally, about 20 each; at least 3 each).
    - ``signal``: 1 as the catalog says, 0 purchases that nothing predicts (the same
      chance for everybody at all times), between them the blend.
    - ``shift``: from the first month that starts on or after this day demand, mix
      and prices differ (only prices in a log without signal).
    - ``mess``: how untidy the export is, 0 (typed cleanly) to 1; all of it readable.
    - ``faults``: bad rows added, as a share of the documents; none is readable.
    """

    customers: int = 2000
    rows: int | None = None
    seed: int = 7
    signal: float = 1.0
    shift: dt.date | None = None
    mess: float = 1.0
    faults: float = 0.0

    def __post_init__(self) -> None:
        problems = []
        if self.customers < 1:
            problems.append("customers must be at least 1")
        if self.rows is not None and self.rows < 3 * self.customers:
            problems.append(f"rows must be at least 3 a customer ({3 * self.customers:,})")
        if self.seed < 0:
            problems.append("seed must not be negative")
        for name in ("signal", "mess", "faults"):
            if not 0 <= getattr(self, name) <= 1:
                problems.append(f"{name} must be between 0 and 1")
        if problems:
            raise UsageError("This log cannot be simulated: " + "; ".join(problems) + ".")
