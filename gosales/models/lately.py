"""What windows that have not closed yet already tell of first purchases in a division.

The newest closed label window ends today, but began a window ago; a season is forecast from the
same window a year before. So those who buy for the first time in the last part of a window are
counted: beside those of all parts of the newest window, and beside those of the same part a year
before. The first moves the level of the newest window, the second that of a year ago, as a
seasonal forecast with a drift does (Hyndman and Athanasopoulos, Forecasting, 2021).

Counts are few. So each move is shrunk by how far the moves of all divisions at that day differ
beyond chance (empirical Bayes; Morris 1983): where levels hold still, chance moves none.
Owners' levels are left alone: their orders come in rhythms that half a window cuts through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gosales.etl.star import open_star
from gosales.models.launched import Count, first_buyers, launched
from gosales.months import Window, add_months, part_of_window
from gosales.run import Run

__all__ = ["NOTHING", "Lately", "Moves", "lately"]

# How far levels move (a variance of log-odds), before the divisions tell: counts for so many.
PRIOR_VARIANCE, PRIOR_DIVISIONS = 0.05, 4.0
MOST = 1.5
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Moves:
    """Log-odds of the last part of a window less those of the newest window (``last``), and of
    the same part a year before (``year``); of a division without a closed window, less those of
    the others (``launch``)."""

    last: float = 0.0
    year: float = 0.0
    launch: float = 0.0


NOTHING = Moves()
# (division, target) -> moves
Lately = Mapping[tuple[str, dt.date], Moves]


def lately(
    run: Run, divisions: Sequence[str], targets: Iterable[dt.date], window_months: int
) -> Lately:
    """The moves by each target, of what had happened by then.

    Windows of a month have no parts, so only launches are told.
    """
    targets = sorted(targets)
    launches = launched(run, divisions, targets, window_months)
    found = {key: Moves(launch=move) for key, move in launches.items()}
    part, star = part_of_window(window_months), open_star(run)
    if part == window_months:
        return found
    days = {day: _parts(min(day, star.about.last_order), window_months) for day in targets}
    windows = [window for parts in days.values() for window in parts.all]
    counts = first_buyers(run, star, divisions, windows)
    for day, parts in days.items():
        seen = [_seen(parts, name, counts) for name in divisions]
        last, year = (_shrunk(kind) for kind in zip(*seen, strict=True))
        for name, *moved in zip(divisions, last, year, strict=True):
            if (name, day) not in launches:
                found[name, day] = Moves(*moved)
    return found


@dataclass(frozen=True)
class _Parts:
    """Parts of the window that ends at a target, the newest first, and that of the newest a year
    before.

    Whatever day the target is, every day of the window is in one part and in no other.
    """

    window: tuple[Window, ...]
    year: Window

    @property
    def all(self) -> tuple[Window, ...]:
        return (*self.window, self.year)


def _parts(target: dt.date, window_months: int) -> _Parts:
    part = part_of_window(window_months)

    def ended(months: int) -> Window:
        before = add_months(target, -months - part)
        return Window(before + DAY, add_months(target, -months))

    return _Parts(tuple(map(ended, range(0, window_months, part))), ended(12))


# A move and its variance by chance; None where nobody bought: the division may not be sold yet.
Move = tuple[float, float] | None


def _seen(
    parts: _Parts, division: str, counts: Mapping[tuple[str, Window], Count]
) -> tuple[Move, Move]:
    """Against all parts of the newest window, and against the same part a year before."""
    *window, before = (counts.get((division, one)) for one in parts.all)
    known = [count for count in window if count is not None]
    whole = (sum(size for size, _ in known), sum(bought for _, bought in known))
    return _move(window[0], whole if len(known) == len(window) else None), _move(window[0], before)


def _move(now: Count | None, before: Count | None) -> Move:
    """Log-odds of a share less those of another; half a buyer keeps both finite."""
    if now is None or before is None or not now[1] + before[1]:
        return None
    odds = [(bought + 0.5) / (size - bought + 0.5) for size, bought in (now, before)]
    chance = sum(
        1 / (one + 0.5) for size, bought in (now, before) for one in (bought, size - bought)
    )
    return float(np.log(odds[0] / odds[1])), chance


def _shrunk(moves: Sequence[Move]) -> list[float]:
    """Each move times the part of its variance that is not chance; 0 for None."""
    known = np.array([move for move in moves if move is not None]).reshape(-1, 2)
    weight = (PRIOR_VARIANCE + known[:, 1]) ** -2
    beyond = len(known) * weight @ (known[:, 0] ** 2 - known[:, 1]) / max(weight.sum(), 1e-12)
    variance = (beyond + PRIOR_DIVISIONS * PRIOR_VARIANCE) / (len(known) + PRIOR_DIVISIONS)
    variance = max(float(variance), 0.0)
    return [
        0.0 if move is None
        else float(np.clip(move[0] * variance / (variance + move[1]), -MOST, MOST))
        for move in moves
    ]  # fmt: skip
