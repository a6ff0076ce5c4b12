"""What windows that have not closed yet already tell of a division's level.

The newest closed label window ends today, but began a window ago; a season is forecast from the
same window a year before. So buyers of the last part of a window are counted, by division and
cohort: beside those of all parts of the newest window, and beside those of the same part a year
before. The first moves the level of the newest window, the second that of a year ago, as a
seasonal forecast with a drift does (Hyndman and Athanasopoulos, Forecasting, 2021).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gosales.etl.star import open_star
from gosales.labels import LabelSpec, label_counts
from gosales.models.slices import JOINT, NEVER_OWNED, OWNED
from gosales.months import add_months, label_window, part_of_window
from gosales.run import Run

__all__ = ["NOTHING", "Lately", "Moves", "lately"]

# What was counted before speaks for as many buyers: few of them move no level far.
PRIOR_BUYERS = 5.0
MOST = 1.5


@dataclass(frozen=True)
class Moves:
    """Log-odds of the last part of a window less those of the newest window (``last``), and of
    the same part a year before (``year``)."""

    last: float = 0.0
    year: float = 0.0


NOTHING = Moves()
# (division, cohort, target) -> moves
Lately = Mapping[tuple[str, str, dt.date], Moves]
# (customers, buyers)
Count = tuple[float, float]


def lately(
    run: Run, divisions: Sequence[str], targets: Iterable[dt.date], window_months: int
) -> Lately:
    """The moves by each target, of what had happened by then.

    Empty for windows of a month, which have no parts.
    """
    part, star = part_of_window(window_months), open_star(run)
    if part == window_months:
        return {}
    days = {day: _anchors(min(day, star.about.last_order), window_months) for day in targets}
    spec = replace(LabelSpec.from_settings(run), window_months=part)
    wanted = sorted({anchor for anchors in days.values() for anchor in anchors.all})
    table = run.engine.to_arrow(label_counts(star, divisions, wanted, spec))
    counts: dict[tuple[str, str, dt.date], Count] = {}
    for row in table.to_pylist():
        for cohort in (JOINT, OWNED if row["owned"] else NEVER_OWNED):
            key = (row["division"], cohort, row["cutoff"])
            customers, buyers = counts.get(key, (0.0, 0.0))
            counts[key] = (customers + row["customers"], buyers + row["buyers"])
    return {
        (name, cohort, day): _moves(anchors, partial(_count, counts, name, cohort))
        for name in divisions
        for cohort in (JOINT, OWNED, NEVER_OWNED)
        for day, anchors in days.items()
    }


def _count(
    counts: Mapping[tuple[str, str, dt.date], Count], division: str, cohort: str, day: dt.date
) -> Count | None:
    return counts.get((division, cohort, day))


@dataclass(frozen=True)
class _Anchors:
    """Cutoffs of parts of a window: the newest first, and that of the newest a year before."""

    parts: tuple[dt.date, ...]
    year: dt.date

    @property
    def all(self) -> tuple[dt.date, ...]:
        return (*self.parts, self.year)


def _anchors(target: dt.date, window_months: int) -> _Anchors:
    part = part_of_window(window_months)
    ends = [add_months(target, -months) for months in (*range(0, window_months, part), 12)]
    *parts, year = (_before(end, part) for end in ends)
    return _Anchors(tuple(parts), year)


def _before(end: dt.date, months: int) -> dt.date:
    """The last cutoff whose window of so many months has closed by ``end``."""
    day = add_months(end, -months)
    # Month ends stay month ends: the window of one may reach beyond the day that it was made of.
    while label_window(day, months).end > end:
        day -= dt.timedelta(days=1)
    return day


def _moves(anchors: _Anchors, count: Callable[[dt.date], Count | None]) -> Moves:
    found = [count(day) for day in anchors.parts]
    parts = [one for one in found if one is not None]
    if found[0] is None:
        return NOTHING
    rate = float(np.mean([buyers / customers for customers, buyers in parts]))
    last = _move(found[0], rate) if len(parts) == len(found) else 0.0
    before = count(anchors.year)
    return Moves(last, 0.0 if before is None else _move(found[0], before[1] / before[0]))


def _move(now: Count, rate: float) -> float:
    """Log-odds of the share now, shrunk towards ``rate``, less those of ``rate``."""
    customers, buyers = now
    rate = float(np.clip(rate, 0.5 / customers, 0.98))
    share = rate * (buyers + PRIOR_BUYERS) / (customers * rate + PRIOR_BUYERS)
    odds = [np.log(one / (1 - one)) for one in (min(share, 0.98), rate)]
    return float(np.clip(odds[0] - odds[1], -MOST, MOST))
