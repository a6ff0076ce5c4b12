"""Every feature again, slow and obvious, from a list of order lines and a cutoff.

Nothing here is shared with the package but ``add_months`` (which has tests of its own):
windows are compared as dates, months are counted one by one, money is summed as Decimal.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from gosales.months import add_months
from gosales.workspace import slug

Line = dict[str, Any]
Features = dict[str, float | None]
WINDOWS = {"3m": 3, "6m": 6, "12m": 12, "24m": 24, "life": None}


def features(lines: list[Line], cutoff: dt.date, target: str) -> dict[str, Features]:
    """customer -> feature -> value, before any cap."""
    known = [line for line in lines if line["order_date"] <= cutoff]
    divisions = sorted({line["product_division"] for line in lines})
    mine = defaultdict(list)
    for line in known:
        mine[line["customer_id"]].append(line)
    found = {}
    for customer, own in mine.items():
        row: Features = {}
        row |= _rfm(own, cutoff, "all")
        row |= _rfm([x for x in own if x["product_division"] == target], cutoff, "div")
        row |= _lifecycle(own, cutoff)
        row |= _trajectory(own, cutoff)
        row |= _season(own, cutoff)
        row |= _diversity(own, cutoff)
        row |= _returns(own, cutoff, "all")
        row |= _returns([x for x in own if x["product_division"] == target], cutoff, "div")
        row |= _cross(own, cutoff, divisions)
        found[customer] = row
    _smooth(found, target)
    return found


def within(lines: Iterable[Line], cutoff: dt.date, months: int | None) -> list[Line]:
    return [
        line
        for line in lines
        if line["order_date"] <= cutoff
        and (months is None or line["order_date"] > add_months(cutoff, -months))
    ]


def orders(lines: Iterable[Line]) -> dict[Any, dt.date]:
    """Order -> its latest day among these lines."""
    latest: dict[Any, dt.date] = {}
    for line in lines:
        key = ("invoice", line["invoice_id"]) if line["invoice_id"] else ("day", line["order_date"])
        latest[key] = max(latest.get(key, line["order_date"]), line["order_date"])
    return latest


def profit(lines: Iterable[Line]) -> Decimal:
    return sum((line["gross_profit"] for line in lines), Decimal(0))


def _rfm(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    row: Features = {}
    for label, months in WINDOWS.items():
        inside = within(lines, cutoff, months)
        n, total = len(orders(inside)), float(profit(inside))
        row[f"rfm__{scope}__tx_n__{label}"] = n
        row[f"rfm__{scope}__gp_sum__{label}"] = total
        row[f"rfm__{scope}__gp_mean__{label}"] = total / n if n else None
    days = [(cutoff - line["order_date"]).days for line in lines]
    row[f"rfm__{scope}__recency_days__life"] = min(days) if days else None
    return row


def _lifecycle(lines: list[Line], cutoff: dt.date) -> Features:
    days = sorted({line["order_date"] for line in lines})
    gaps = [(b - a).days for a, b in pairwise(days)]
    return {
        "lifecycle__all__tenure_days__life": (cutoff - days[0]).days,
        "lifecycle__all__active_months__life": len({(d.year, d.month) for d in days}),
        "lifecycle__all__gap_days_mean__life": statistics.fmean(gaps) if gaps else None,
        "lifecycle__all__gap_days_last__life": gaps[-1] if gaps else None,
    }


def _trajectory(lines: list[Line], cutoff: dt.date) -> Features:
    row: Features = {}
    gp, tx = [], []
    last = orders(lines)
    for m in reversed(range(12)):
        start, end = add_months(cutoff, -m - 1), add_months(cutoff, -m)
        gp.append(float(profit(x for x in lines if start < x["order_date"] <= end)))
        tx.append(float(sum(start < day <= end for day in last.values())))
    for name, values in (("gp", gp), ("tx", tx)):
        slope = statistics.linear_regression(range(12), values).slope
        row[f"trajectory__all__{name}_slope__12m"] = slope
        row[f"trajectory__all__{name}_std__12m"] = statistics.stdev(values)
    return row


def _season(lines: list[Line], cutoff: dt.date) -> Features:
    days = [d for d in orders(lines).values() if d > add_months(cutoff, -24)]
    return {
        f"season__all__q{q}_share__24m": (
            sum((d.month - 1) // 3 + 1 == q for d in days) / len(days) if days else None
        )
        for q in (1, 2, 3, 4)
    }


def _diversity(lines: list[Line], cutoff: dt.date) -> Features:
    inside = within(lines, cutoff, 12)
    return {
        "diversity__all__divisions_n__12m": len({x["product_division"] for x in inside}),
        "diversity__all__skus_n__12m": len({x["product_sku"] for x in inside}),
    }


def _returns(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    inside = within(lines, cutoff, 12)
    n = sum(x["is_return"] for x in inside)
    return {
        f"returns__{scope}__n__12m": n,
        f"returns__{scope}__rate__12m": n / len(inside) if inside else None,
    }


def _cross(lines: list[Line], cutoff: dt.date, divisions: list[str]) -> Features:
    inside = within(lines, cutoff, 12)
    gains = {
        d: max(profit(x for x in inside if x["product_division"] == d), Decimal(0))
        for d in divisions
    }
    total = sum(gains.values())
    row: Features = {}
    for d in divisions:
        days = [(cutoff - x["order_date"]).days for x in lines if x["product_division"] == d]
        row[f"xdiv__{slug(d)}__gp_share__12m"] = float(gains[d]) / float(total) if total else None
        row[f"xdiv__{slug(d)}__recency_days__life"] = min(days) if days else None
        row[f"xdiv__{slug(d)}__owned__life"] = 1 if days else 0
    return row


def _smooth(found: dict[str, Features], target: str) -> None:
    """Kleinman's estimate with the orders of 12 months as trials, in floats."""
    name = f"xdiv__{slug(target)}__gp_share__12m"
    known = [(r["rfm__all__tx_n__12m"], r[name]) for r in found.values() if r[name] is not None]
    mean, strength = 0.0, 1.0
    if known:
        n = sum(w for w, _ in known)
        mean = sum(w * (math.floor(s * 1e6) / 1e6) for w, s in known) / n
        spread = sum(w * (math.floor(s * 1e6) / 1e6 - mean) ** 2 for w, s in known)
        chance = mean * (1 - mean)
        extra = sum(w * (1 - w / n) for w, _ in known) - (len(known) - 1)
        rho = 0.99
        if chance > 1e-12 and extra > 1e-9:
            rho = (spread - chance * (len(known) - 1)) / (chance * extra)
        rho = min(max(rho, 1e-4), 0.99)
        strength = (1 - rho) / rho
    for row in found.values():
        share, n = row[name], row["rfm__all__tx_n__12m"] if row[name] is not None else 0
        smoothed = (n * (share or 0.0) + strength * mean) / (n + strength)
        row["xdiv__div__gp_share__12m"] = smoothed
