"""Dates as exports write them, read once per distinct text.

A log has few distinct dates however many rows it has, so texts are parsed in a table of
their own that is joined back. Every form is rewritten to ``YYYY-MM-DD`` and then cast, so
a day that does not exist (30 February) is null on every engine.
"""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir

from gosales.engine import Engine
from gosales.etl.normalize import BLANK, filled
from gosales.settings import EtlSettings

__all__ = ["DateOrder", "parse_dates", "resolve_order"]

# 2024-03-05, 2024/03/05, 2024.03.05, with or without a time and an offset.
ISO = r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})([T ].*)?$"
COMPACT = r"^([0-9]{4})([0-9]{2})([0-9]{2})$"
# 03/05/2024, 3-5-24, 31.12.2024.
NUMERIC = r"^([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{2})([T ,].*)?$"
# 05-Mar-2024, 5 March 24.
DAY_NAME = r"^([0-9]{1,2})[-/ .]+([a-z]{3,9})[-/ .,]+([0-9]{4}|[0-9]{2})([t ,].*)?$"
# Mar 5, 2024.
NAME_DAY = r"^([a-z]{3,9})[-/ .]+([0-9]{1,2})(?:st|nd|rd|th)?[-/ .,]+([0-9]{4})([t ,].*)?$"
OFFSET = r"^.*[0-9]([zZ]|[-+][0-9]{2}:?[0-9]{2}|[-+][0-9]{2})$"
CLOCK = r"[T ]([0-9]{1,2}):([0-9]{2})"
# A time after the date, so that `2024-03-05 rubbish` is no date.
TIME = (
    r"^([T ,]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)? ?([aApP]\.?[mM]\.?)?"
    r" ?([zZ]|UTC|[-+][0-9]{2}:?([0-9]{2})?)?)?$"
)


@dataclass(frozen=True)
class DateOrder:
    """How ``03/05/2024`` is read, and how many distinct texts speak for each way."""

    order: Literal["mdy", "dmy"]
    month_first: int
    day_first: int
    ambiguous: int


def resolve_order(engine: Engine, texts: ir.Table, settings: EtlSettings) -> DateOrder:
    """Month or day first, from the whole log: what more distinct texts allow only one way."""
    bare = _bare(texts.text)
    slashed = bare.re_search(NUMERIC) & (bare.re_extract(NUMERIC, 2) != ".")
    first = bare.re_extract(NUMERIC, 1).try_cast("int32")
    second = bare.re_extract(NUMERIC, 3).try_cast("int32")
    day_first = slashed & (first > 12) & (first <= 31) & (second <= 12)
    month_first = slashed & (second > 12) & (second <= 31) & (first <= 12)
    either = slashed & (first <= 12) & (second <= 12) & (first != second)
    counts = engine.to_arrow(
        texts.aggregate(
            month_first=month_first.sum().fill_null(0),
            day_first=day_first.sum().fill_null(0),
            ambiguous=either.sum().fill_null(0),
        )
    ).to_pylist()[0]
    found: Literal["mdy", "dmy"] = "dmy" if counts["day_first"] > counts["month_first"] else "mdy"
    order = found if settings.date_order == "auto" else settings.date_order
    return DateOrder(order, **{name: int(value) for name, value in counts.items()})


def parse_dates(
    engine: Engine, texts: ir.Table, order: DateOrder, settings: EtlSettings
) -> ir.Table:
    """``text`` (distinct) -> ``text``, ``day`` (date, null where blank or unreadable).

    A timestamp with an offset is converted to ``etl.coerce_dates_tz`` and cut to its date.
    """
    # Each step is computed before the next builds on it: nested, the expression explodes.
    bare = engine.cache(texts.select("text", bare=_bare(texts.text), low=_bare(texts.text).lower()))
    iso = engine.cache(
        bare.select(
            "text",
            "bare",
            iso=_iso_text(bare.bare, bare.low, order),
            tail=_tail(bare.bare, bare.low),
        )
    )
    day = ibis.coalesce(
        iso.tail.re_search(TIME).ifelse(iso.iso, None).try_cast("date"), _excel_serial(iso.bare)
    )
    offset = iso.bare.re_search(ISO) & iso.bare.re_search(CLOCK) & iso.bare.re_search(OFFSET)
    days = engine.cache(
        iso.select("text", "bare", day=filled(iso.text).ifelse(day, None), has_offset=offset)
    )
    if engine.scalar(days.has_offset.sum().fill_null(0)):
        days = engine.cache(_shift_zone(engine, days, settings))
    # A day plus an interval is a timestamp to some engines; what was read back says which.
    return days.select("text", day=days.day.cast("date"))


def _bare(text: ir.StringValue) -> ir.StringValue:
    return text.re_replace(rf"^[{BLANK}]+|[{BLANK}]+$", "").re_replace(rf"[{BLANK}]+", " ")


def _iso_text(bare: ir.StringValue, low: ir.StringValue, order: DateOrder) -> ir.StringValue:
    """The date as ``YYYY-MM-DD``, or null when no form fits."""
    first, second = bare.re_extract(NUMERIC, 1), bare.re_extract(NUMERIC, 3)
    dotted = bare.re_extract(NUMERIC, 2) == "."
    day_first = dotted if order.order == "mdy" else ibis.literal(True)
    month, day = day_first.ifelse(second, first), day_first.ifelse(first, second)
    return ibis.cases(
        (bare.re_search(ISO), _join(*(bare.re_extract(ISO, n) for n in (1, 2, 3)))),
        (bare.re_search(COMPACT), _join(*(bare.re_extract(COMPACT, n) for n in (1, 2, 3)))),
        (bare.re_search(NUMERIC), _join(_year(bare.re_extract(NUMERIC, 4)), month, day)),
        (
            low.re_search(DAY_NAME),
            _join(
                _year(low.re_extract(DAY_NAME, 3)),
                _month_number(low.re_extract(DAY_NAME, 2)),
                low.re_extract(DAY_NAME, 1),
            ),
        ),
        (
            low.re_search(NAME_DAY),
            _join(
                low.re_extract(NAME_DAY, 3),
                _month_number(low.re_extract(NAME_DAY, 1)),
                low.re_extract(NAME_DAY, 2),
            ),
        ),
        else_=None,
    )


def _tail(bare: ir.StringValue, low: ir.StringValue) -> ir.StringValue:
    """What follows the date in its text: nothing, or a time."""
    return ibis.cases(
        (bare.re_search(ISO), bare.re_extract(ISO, 4)),
        (bare.re_search(NUMERIC), bare.re_extract(NUMERIC, 5)),
        (low.re_search(DAY_NAME), low.re_extract(DAY_NAME, 4).upper()),
        (low.re_search(NAME_DAY), low.re_extract(NAME_DAY, 4).upper()),
        else_="",
    )


def _join(year: ir.StringValue, month: ir.StringValue, day: ir.StringValue) -> ir.StringValue:
    return year.concat("-", month.lpad(2, "0"), "-", day.lpad(2, "0"))


def _year(text: ir.StringValue) -> ir.StringValue:
    """Two digits are a year from 1970 to 2069."""
    century = (text.try_cast("int32") >= 70).ifelse("19", "20")
    return (text.length() == 2).ifelse(century.concat(text), text)


def _month_number(name: ir.StringValue) -> ir.StringValue:
    """English month names, whole or cut to three letters or more; null for other words."""
    branches = []
    for number in range(1, 13):
        full = calendar.month_name[number].lower()
        forms = [full[:length] for length in range(3, len(full) + 1)]
        branches.append((name.isin(forms), f"{number:02d}"))
    return ibis.cases(*branches, else_=None)


def _excel_serial(bare: ir.StringValue) -> ir.DateValue:
    """A spreadsheet's day number (days since 1899-12-30), for the years 2000 to 2099."""
    number = bare.re_search(r"^[0-9]{5}(\.[0-9]+)?$").ifelse(
        bare.re_extract(r"^([0-9]{5})", 1), None
    )
    days = number.try_cast("int32")
    inside = days.between(36526, 73050).ifelse(days, None)
    return (ibis.date("1899-12-30") + inside.as_interval("D")).cast("date")


def _shift_zone(engine: Engine, days: ir.Table, settings: EtlSettings) -> ir.Table:
    """The day in the target zone of texts with an offset; other texts keep theirs."""
    offset = days.bare.re_extract(OFFSET, 1)
    digits = offset.re_replace(r"[^0-9]", "").rpad(4, "0")
    minutes = digits.substr(0, 2).try_cast("int32") * 60 + digits.substr(2, 2).try_cast("int32")
    ahead = ibis.cases(
        (offset.upper() == "Z", 0), (offset.startswith("-"), -minutes), else_=minutes
    )
    clock = days.bare.re_extract(CLOCK, 1).try_cast("int32") * 60 + days.bare.re_extract(
        CLOCK, 2
    ).try_cast("int32")
    local = engine.cache(days.select("text", "day", "has_offset", minute=clock - ahead))
    utc = engine.cache(local.select("text", "has_offset", "day", **_carry(local)))
    here = utc.select(
        "text",
        "has_offset",
        "day",
        moved=utc.moved,
        minute=utc.minute + _zone_minutes(utc, settings),
    )
    here = engine.cache(here)
    shifted = here.select("text", "has_offset", "day", **_carry(here, "moved"))
    return shifted.select("text", day=shifted.has_offset.ifelse(shifted.moved, shifted.day))


def _carry(table: ir.Table, day: str = "day") -> dict[str, ir.Value]:
    """``moved`` and ``minute``: minutes outside of 0..1439 moved into the day."""
    one = ibis.interval(days=1)
    minute, start = table.minute, table[day]
    before, after = minute < 0, minute >= 1440
    moved = ibis.cases(
        (before, (start - one).cast("date")), (after, (start + one).cast("date")), else_=start
    )
    rest = ibis.cases((before, minute + 1440), (after, minute - 1440), else_=minute)
    return {"moved": moved, "minute": rest}


def _zone_minutes(utc: ir.Table, settings: EtlSettings) -> ir.IntegerValue:
    """Minutes the target zone is ahead of UTC at an instant: the sum of its changes so far."""
    first, *changes = _zone_changes(settings)
    total: ir.IntegerValue = ibis.literal(first[1], type="int32")
    before = first[1]
    for instant, ahead in changes:
        start = ibis.date(instant.date().isoformat())
        minute = instant.hour * 60 + instant.minute
        later = (utc.moved > start) | ((utc.moved == start) & (utc.minute >= minute))
        total = total + later.ifelse(ahead - before, 0)
        before = ahead
    return total


def _zone_changes(settings: EtlSettings) -> list[tuple[dt.datetime, int]]:
    """(UTC instant, minutes ahead of UTC from then on) over the years that dates may have."""
    zone = zoneinfo.ZoneInfo(settings.coerce_dates_tz)
    first, last = settings.date_bounds
    hour = dt.datetime(first.year, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime(min(last.year, 2037) + 1, 1, 1, tzinfo=dt.UTC)

    def ahead(instant: dt.datetime) -> int:
        offset = instant.astimezone(zone).utcoffset() or dt.timedelta()
        return int(offset.total_seconds() // 60)

    found = [(hour, ahead(hour))]
    while hour < end:
        if ahead(hour + dt.timedelta(days=1)) != found[-1][1]:
            while ahead(hour) == found[-1][1]:
                hour += dt.timedelta(minutes=15)
            found.append((hour, ahead(hour)))
        hour += dt.timedelta(days=1)
    return found
