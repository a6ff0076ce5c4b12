"""Charts as SVG text: no library, no script; colours come from the style sheet, so that one
drawing serves light and dark, screen and paper. Each is named for those who do not see it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

from markupsafe import Markup

__all__ = ["COLOURS", "bar", "calibration", "curve", "interval", "timeline"]

# Classes c0 to c6 are told apart by all kinds of colour vision; c7 is what is left.
COLOURS = 7
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 480, 240, 60, 28, 12
Words = Callable[[Any], str]


def bar(value: float | None, most: float, inner: float | None = None) -> Markup:
    """A bar of a table's row, ``most`` filling the cell; ``inner`` is drawn over it."""
    scale = 100 / most if most > 0 else 0.0
    whole, part = _share((value or 0.0) * scale), _share((inner or 0.0) * scale)
    over = f'<rect class="bar-inner" width="{part}" height="10"/>' if inner else ""
    kind = "bar-whole solid" if inner is None else "bar-whole"
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" width="{whole}" height="10"/>{over}</svg>'
    )


def interval(
    value: float | None, low: float | None, high: float | None, most: float, mark: float = 1.0
) -> Markup:
    """A figure with its interval on a line from 0 to ``most``, and a mark to compare it with."""
    scale = 100 / most if most > 0 else 0.0
    parts = [f'<path class="mark" d="M{_share(mark * scale)} 0V10"/>']
    if low is not None and high is not None:
        parts.append(f'<path class="whisker" d="M{_share(low * scale)} 5H{_share(high * scale)}"/>')
    if value is not None:
        at = _share(value * scale)
        parts.append(f'<path class="dot" d="M{at} 5h0.001"/>')
    return Markup(
        '<svg class="bar interval" viewBox="0 0 100 10" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def calibration(rows: Sequence[Mapping[str, Any]], percent: Words, name: str) -> Markup:
    """Promised odds against what happened; a circle's area is its number of customers."""
    shown = [row for row in rows if row["fraction_positives"] is not None]
    top = max([max(r["mean_predicted"], r["fraction_positives"]) for r in shown] or [0.0]) or 1.0
    top = min(1.0, 1.1 * top)
    most = max([row["count"] for row in shown] or [1])
    x, y = _across(top), _up(top)
    parts = [
        _frame(top, percent, x, y),
        f'<path class="ideal" d="M{x(0)} {y(0)}L{x(top)} {y(top)}"/>',
    ]
    for row in shown:
        size = 3 + 9 * sqrt(row["count"] / most)
        words = (
            f"promised {percent(row['mean_predicted'])}, "
            f"came {percent(row['fraction_positives'])}, {row['count']} customers"
        )
        parts.append(
            f'<circle class="point" cx="{x(row["mean_predicted"])}" '
            f'cy="{y(row["fraction_positives"])}" r="{size:.1f}">'
            f"<title>{_safe(words)}</title></circle>"
        )
    return _drawing(parts, name)


def curve(points: Sequence[tuple[float, float]], money: Words, percent: Words, name: str) -> Markup:
    """(share of the list, what it should bring) as a line from nothing."""
    top = max([value for _, value in points] or [0.0]) or 1.0
    x, y = _across(1.0), _up(top)
    path = "".join(f"L{x(share)} {y(value)}" for share, value in points)
    parts = [_frame(top, money, x, y, percent, 1.0)]
    parts.append(f'<path class="line" d="M{x(0)} {y(0)}{path}"/>')
    return _drawing(parts, name)


def timeline(
    rows: Sequence[tuple[dt.date, str, float]], classes: Mapping[str, int], money: Words, name: str
) -> Markup:
    """Gross profit by quarter, stacked by division; what was lost goes below the line."""
    if not rows:
        return Markup("")
    quarters = _quarters(min(row[0] for row in rows), max(row[0] for row in rows))
    up, down = dict.fromkeys(quarters, 0.0), dict.fromkeys(quarters, 0.0)
    for day, _, value in rows:
        side = up if value >= 0 else down
        side[day] += value
    high, low = max(up.values()) or 1.0, min(down.values())
    inside = HEIGHT - TOP - BOTTOM
    scale = inside / (high - low)
    zero = TOP + high * scale
    step = (WIDTH - LEFT - 8) / len(quarters)
    parts = [
        f'<path class="axis" d="M{LEFT} {zero:.1f}H{WIDTH}"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{_safe(money(high))}</text>',
        f'<text x="{LEFT - 6}" y="{zero + 4:.1f}" text-anchor="end">{_safe(money(0))}</text>',
    ]
    above, below = dict.fromkeys(quarters, zero), dict.fromkeys(quarters, zero)
    for day, division, value in rows:
        tall = abs(value) * scale
        if value >= 0:
            above[day] -= tall
        place = above[day] if value >= 0 else below[day]
        if value < 0:
            below[day] += tall
        left = LEFT + 4 + quarters.index(day) * step
        words = f"{division}, {_quarter(day)}: {money(value)}"
        parts.append(
            f'<rect class="c{classes.get(division, COLOURS)}" x="{left:.1f}" y="{place:.1f}" '
            f'width="{max(step - 3, 1):.1f}" height="{tall:.1f}">'
            f"<title>{_safe(words)}</title></rect>"
        )
    for number, day in enumerate(quarters):
        if day.month == 1 or len(quarters) <= 4:
            middle = LEFT + 4 + (number + 0.5) * step
            words = str(day.year) if day.month == 1 else _quarter(day)
            parts.append(
                f'<text x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{words}</text>'
            )
    return _drawing(parts, name)


def _quarters(first: dt.date, last: dt.date) -> list[dt.date]:
    found, day = [], first
    while day <= last:
        found.append(day)
        day = dt.date(day.year + (day.month == 10), (day.month + 2) % 12 + 1, 1)
    return found


def _quarter(day: dt.date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _across(top: float) -> Callable[[float], float]:
    return lambda value: round(LEFT + (WIDTH - LEFT - 16) * value / top, 1)


def _up(top: float) -> Callable[[float], float]:
    return lambda value: round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top, 1)


def _frame(
    top: float,
    words: Words,
    x: Callable[[float], float],
    y: Callable[[float], float],
    across: Words | None = None,
    right: float | None = None,
) -> str:
    """Axes with three numbers each; ``across`` and ``right`` where the x axis is another."""
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - 12}"/>']
    wide = top if right is None else right
    for share in (0.0, 0.5, 1.0):
        parts.append(
            f'<text x="{LEFT - 6}" y="{y(top * share) + 4}" text-anchor="end">'
            f"{_safe(words(top * share))}</text>"
        )
        if share:
            told = (across or words)(wide * share)
            anchor = "end" if share == 1.0 else "middle"
            parts.append(
                f'<text x="{x(wide * share) + (8 if share == 1.0 else 0)}" y="{HEIGHT - 10}" '
                f'text-anchor="{anchor}">{_safe(told)}</text>'
            )
    return "".join(parts)


def _drawing(parts: Sequence[str], name: str) -> Markup:
    return Markup(
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_safe(name)}">'
        f"{''.join(parts)}</svg>"
    )


def _share(value: float) -> float:
    return round(min(max(value, 0.0), 100.0), 2)


def _safe(text: str) -> str:
    return str(Markup.escape(text))
