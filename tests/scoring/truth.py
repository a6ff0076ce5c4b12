"""Whether a reason is true of a customer, by that customer's own order lines."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from gosales.months import feature_start

YEAR = 365.25


def verified(reason: str, lines: list[dict[str, Any]], cutoff: dt.date) -> bool:
    """True when the reason was checked; fails when it is false, False when it has no check."""
    for pattern, check in CHECKS.items():
        if found := re.fullmatch(pattern, reason):
            words = found.groupdict()
            kept = [
                line
                for line in lines
                if words.get("d") in (None, line["product_division"])
                and (
                    not words.get("m")
                    or line["order_date"] >= feature_start(cutoff, int(words["m"]))
                )
            ]
            check(words, kept, cutoff)
            return True
    return False


def number(words: dict[str, str]) -> float:
    return float(words["n"].replace(",", ""))


def span(words: dict[str, str]) -> float:
    return number(words) * (YEAR if words["unit"].startswith("year") else 1)


def newest(words, lines, cutoff) -> None:
    days = (cutoff - max(line["order_date"] for line in lines)).days
    assert days == pytest.approx(span(words), abs=0.05 * YEAR if "year" in words["unit"] else 0)


def oldest(words, lines, cutoff) -> None:
    days = (cutoff - min(line["order_date"] for line in lines)).days
    assert days == pytest.approx(span(words), abs=0.05 * YEAR if "year" in words["unit"] else 0)


def today(words, lines, cutoff) -> None:
    assert max(line["order_date"] for line in lines) == cutoff


def orders(words, lines, cutoff) -> None:
    assert len({line["invoice_id"] for line in lines}) == number(words)


def months(words, lines, cutoff) -> None:
    assert len({line["order_date"].strftime("%Y%m") for line in lines}) == number(words)


def divisions(words, lines, cutoff) -> None:
    assert len({line["product_division"] for line in lines}) == number(words)


def profit(words, lines, cutoff) -> None:
    total = float(sum(line["gross_profit"] for line in lines))
    told = number(words)
    if words.get("more"):
        assert total >= told - 1
    else:
        assert total == pytest.approx(told, abs=0.51)


def each(words, lines, cutoff) -> None:
    total = float(sum(line["gross_profit"] for line in lines))
    mean = total / len({line["invoice_id"] for line in lines})
    assert words.get("more") or mean == pytest.approx(number(words), abs=0.51)


def years(lines, cutoff) -> tuple[list, list]:
    """The lines of the last 12 months, and of the 12 before."""
    year, two = feature_start(cutoff, 12), feature_start(cutoff, 24)
    return (
        [line for line in lines if line["order_date"] >= year],
        [line for line in lines if two <= line["order_date"] < year],
    )


def more_profit(words, lines, cutoff) -> None:
    last, before = (float(sum(x["gross_profit"] for x in some)) for some in years(lines, cutoff))
    assert words.get("more") or last - before == pytest.approx(number(words), abs=0.51)


def more_orders(words, lines, cutoff) -> None:
    last, before = (len({x["invoice_id"] for x in some}) for some in years(lines, cutoff))
    assert last - before == number(words)


def quarter(words, lines, cutoff) -> None:
    orders = {x["invoice_id"]: x["order_date"] for some in years(lines, cutoff) for x in some}
    there = sum((day.month + 2) // 3 == int(words["q"]) for day in orders.values())
    assert 100 * there / len(orders) == pytest.approx(number(words), abs=0.51)


N = r"(?P<n>[\d,.]+)"
AGO = rf"{N} (?P<unit>days?|years)"
OF = r"(?: in (?P<d>Alpha|Beta|Fresh|Tiny|Gone))?"
WHEN = r"(?:so far|in the last (?P<m>\d+) months)"
CHECKS = {
    rf"Last order{OF} {AGO} ago": newest,
    rf"Bought (?P<d>\w+) {AGO} ago": newest,
    rf"Last order{OF} today": today,
    rf"New customer{OF}: first order {AGO} ago": oldest,
    rf"Customer{OF} for {AGO}": oldest,
    rf"{N} orders{OF} {WHEN}": orders,
    rf"Ordered in {N} different months{OF} so far": months,
    rf"Bought from {N} divisions {WHEN}": divisions,
    rf"Gross profit of {N}(?P<more> or more)? an order{OF} {WHEN}": each,
    rf"Gross profit of {N}(?P<more> or more)?{OF} {WHEN}": profit,
    rf"Gross profit{OF} up {N}(?P<more> or more)? on the year before": more_profit,
    rf"Placed {N} more orders?{OF} than in the year before": more_orders,
    rf"{N}% of orders fall in quarter (?P<q>\d) \(last 24 months\)": quarter,
}
