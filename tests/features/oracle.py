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
# The length of the label window.
AHEAD = 6
WINDOWS = {"3m": 3, "6m": 6, "12m": 12, "24m": 24, "life": None}


def features(lines: list[Line], cutoff: dt.date, target: str) -> dict[str, Features]:
    """customer -> feature -> value, before any cap."""
    known = [line for line in lines if line["order_date"] <= cutoff]
    divisions = sorted({line["product_division"] for line in lines})
    mine = defaultdict(list)
    for line in known:
        mine[line["customer_id"]].append(line)
    found = {}
    cycle = _cycle([x for x in known if x["product_division"] == target])
    for customer, own in mine.items():
        row: Features = {}
        for scope in ("all", "div"):
            some = own if scope == "all" else [x for x in own if x["product_division"] == target]
            row |= _rfm(some, cutoff, scope)
            row |= _lifecycle(some, cutoff, scope)
            row |= _change(some, cutoff, scope)
            row |= _returns(some, cutoff, scope)
            row |= _margin(some, cutoff, scope)
            row |= _ahead(some, cutoff, scope)
        row |= _renewal(own, cutoff, target, cycle)
        row |= _trajectory(own, cutoff)
        row |= _season(own, cutoff)
        row |= _diversity(own, cutoff)
        row |= _cross(own, cutoff, divisions)
        found[customer] = row
    for measure in ("gp_share", "tx_share"):
        _smooth(found, target, measure)
    for scope in ("all", "div"):
        _expect(found, scope)
    return found


def within(lines: Iterable[Line], cutoff: dt.date, months: int | None) -> list[Line]:
    return [
        line
        for line in lines
        if line["order_date"] <= cutoff
        and (months is None or line["order_date"] > add_months(cutoff, -months))
    ]


def order_of(line: Line) -> Any:
    return ("invoice", line["invoice_id"]) if line["invoice_id"] else ("day", line["order_date"])


def orders(lines: Iterable[Line]) -> dict[Any, dt.date]:
    """Order -> its latest day among these lines."""
    latest: dict[Any, dt.date] = {}
    for line in lines:
        key = order_of(line)
        latest[key] = max(latest.get(key, line["order_date"]), line["order_date"])
    return latest


def first_days(lines: Iterable[Line]) -> dict[Any, dt.date]:
    """Order -> the day that it was placed."""
    first: dict[Any, dt.date] = {}
    for line in lines:
        key = order_of(line)
        first[key] = min(first.get(key, line["order_date"]), line["order_date"])
    return first


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
        row[f"rfm__{scope}__lines_n__{label}"] = len(inside)
    days = [(cutoff - line["order_date"]).days for line in lines]
    row[f"rfm__{scope}__recency_days__life"] = min(days) if days else None
    row[f"rfm__{scope}__recency_log__life"] = math.log(1 + min(days)) if days else None
    for half in (30, 90, 180):
        row[f"rfm__{scope}__tx_decay{half}d__life"] = sum(
            round(2 ** (-(cutoff - day).days / half), 6) for day in orders(lines).values()
        )
        # To a hundredth of a cent, as all money.
        row[f"rfm__{scope}__gp_decay{half}d__life"] = round(
            sum(
                float(x["gross_profit"]) * round(2 ** (-(cutoff - x["order_date"]).days / half), 6)
                for x in lines
            ),
            4,
        )
    return row


def _gaps(lines: list[Line]) -> list[int]:
    days = sorted({line["order_date"] for line in lines})
    return [(b - a).days for a, b in pairwise(days)]


def _lifecycle(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    days = sorted({line["order_date"] for line in lines})
    gaps = _gaps(lines)
    since = (cutoff - days[-1]).days if days else None
    row: Features = {
        "tenure_days": (cutoff - days[0]).days if days else None,
        "active_months": len({(d.year, d.month) for d in days}),
        "order_days_n": len(days),
        "gap_days_mean": statistics.fmean(gaps) if gaps else None,
        "gap_days_median": statistics.median(gaps) if gaps else None,
        "gap_days_last": gaps[-1] if gaps else None,
        "gap_days_std": statistics.stdev(gaps) if len(gaps) > 1 else None,
        "overdue_ratio": since / statistics.median(gaps) if gaps else None,
    }
    if scope == "all":
        row["first_gp"] = float(profit(x for x in lines if x["order_date"] == days[0]))
    return {f"lifecycle__{scope}__{name}__life": value for name, value in row.items()}


def _cycle(lines: list[Line]) -> float | None:
    """The median gap between a customer's days in a division, over all its customers."""
    mine = defaultdict(list)
    for line in lines:
        mine[line["customer_id"]].append(line)
    gaps = [gap for own in mine.values() for gap in _gaps(own)]
    return statistics.median(gaps) if gaps else None


def _renewal(lines: list[Line], cutoff: dt.date, target: str, cycle: float | None) -> Features:
    days = [(cutoff - x["order_date"]).days for x in lines if x["product_division"] == target]
    known = bool(days) and cycle is not None
    return {
        "lifecycle__div__renewal_phase__life": (
            math.fmod(min(days), cycle) / (365.25 / 12) if known else None
        ),
        "lifecycle__div__cycle_ratio__life": min(days) / cycle if known else None,
    }


def _expect(found: dict[str, Features], scope: str) -> None:
    """A Gamma that has the mean and the variance of the rates beyond Poisson's."""
    pairs = {
        key: (row[f"lifecycle__{scope}__tenure_days__life"], n - 1)
        for key, row in found.items()
        if (n := row[f"lifecycle__{scope}__order_days_n__life"])
    }
    exposure = sum(t for t, _n in pairs.values())
    name = f"lifecycle__{scope}__expected_order_days__12m"
    for row in found.values():
        row[name] = None
    if not exposure:
        return
    mean = sum(n for _t, n in pairs.values()) / exposure
    extra = sum((n - mean * t) ** 2 - n for t, n in pairs.values())
    variance = max(extra / sum(t * t for t, _n in pairs.values()), mean**2 / 10_000)
    for key, (t, n) in pairs.items():
        shape, scale = (mean**2 / variance, mean / variance) if mean else (0.0, 1.0)
        found[key][name] = 365.25 * (shape + n) / (scale + t)


def _change(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    """12 months against the 12 before, and windows that end 60 days before the cutoff."""
    row: Features = {}
    lagged = cutoff - dt.timedelta(60)
    placed = first_days(lines)

    def measure(name: str, end: dt.date, months: int) -> float:
        start = add_months(end, -months)
        if name == "gp":
            return float(profit(x for x in lines if start < x["order_date"] <= end))
        return float(sum(start < day <= end for day in placed.values()))

    for name in ("gp", "tx"):
        year = measure(name, cutoff, 12)
        before = (
            measure(name, cutoff, 24) - year
            if name == "tx"
            else float(profit(within(lines, cutoff, 24)) - profit(within(lines, cutoff, 12)))
        )
        row[f"trajectory__{scope}__{name}_delta__24m"] = year - before
        row[f"trajectory__{scope}__{name}_ratio__24m"] = year / before if before > 0 else None
        for months in (3, 12):
            row[f"trajectory__{scope}__{name}_lag60d__{months}m"] = measure(name, lagged, months)
    return row


def _trajectory(lines: list[Line], cutoff: dt.date) -> Features:
    row: Features = {}
    gp, tx = [], []
    placed = first_days(lines)
    for m in reversed(range(12)):
        start, end = add_months(cutoff, -m - 1), add_months(cutoff, -m)
        gp.append(float(profit(x for x in lines if start < x["order_date"] <= end)))
        tx.append(float(sum(start < day <= end for day in placed.values())))
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


def _ahead(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    """Orders in the label window's months, moved one and two years back."""
    days = [d for d in orders(lines).values() if d > add_months(cutoff, -24)]
    ahead = [
        d
        for d in days
        if any(
            add_months(cutoff, -back) < d <= add_months(cutoff, AHEAD - back) for back in (12, 24)
        )
    ]
    return {f"season__{scope}__ahead_share__24m": len(ahead) / len(days) if days else None}


def _diversity(lines: list[Line], cutoff: dt.date) -> Features:
    inside = within(lines, cutoff, 12)
    first: dict[tuple[str, str], dt.date] = {}
    for line in sorted(lines, key=lambda x: x["order_date"]):
        for kind in ("product_division", "product_sku"):
            first.setdefault((kind, line[kind]), line["order_date"])
    new = [(kind, day) for (kind, _name), day in first.items()]
    return {
        "diversity__all__divisions_n__12m": len({x["product_division"] for x in inside}),
        "diversity__all__divisions_n__life": len({x["product_division"] for x in lines}),
        "diversity__all__new_divisions_n__12m": sum(
            kind == "product_division" and day > add_months(cutoff, -12) for kind, day in new
        ),
        "diversity__all__skus_n__12m": len({x["product_sku"] for x in inside}),
        "diversity__all__skus_n__life": len({x["product_sku"] for x in lines}),
        "diversity__all__new_skus_n__6m": sum(
            kind == "product_sku" and day > add_months(cutoff, -6) for kind, day in new
        ),
    }


def _margin(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    row: Features = {}
    for label, months in WINDOWS.items():
        told = [x for x in within(lines, cutoff, months) if x["revenue"] is not None]
        revenue = float(sum((x["revenue"] for x in told), Decimal(0)))
        row[f"margin__{scope}__rate__{label}"] = (
            min(max(float(profit(told)) / revenue, -1.0), 1.0) if revenue > 0 else None
        )
    return row


def _returns(lines: list[Line], cutoff: dt.date, scope: str) -> Features:
    row: Features = {}
    for label, months in WINDOWS.items():
        inside = within(lines, cutoff, months)
        n = sum(x["is_return"] for x in inside)
        row[f"returns__{scope}__n__{label}"] = n
        row[f"returns__{scope}__rate__{label}"] = n / len(inside) if inside else None
    return row


def _cross(lines: list[Line], cutoff: dt.date, divisions: list[str]) -> Features:
    inside = within(lines, cutoff, 12)
    gains = {
        d: max(profit(x for x in inside if x["product_division"] == d), Decimal(0))
        for d in divisions
    }
    total = sum(gains.values())
    row: Features = {}
    shares = []
    for d in divisions:
        own = [x for x in lines if x["product_division"] == d]
        days = [(cutoff - x["order_date"]).days for x in own]
        n, every = len(orders(within(own, cutoff, 12))), len(orders(inside))
        row[f"xdiv__{slug(d)}__gp_share__12m"] = float(gains[d]) / float(total) if total else None
        row[f"xdiv__{slug(d)}__tx_share__12m"] = n / every if every else None
        row[f"xdiv__{slug(d)}__recency_days__life"] = min(days) if days else None
        row[f"xdiv__{slug(d)}__owned__life"] = 1 if days else 0
        shares.append(row[f"xdiv__{slug(d)}__gp_share__12m"])
    row["diversity__all__entropy__12m"] = (
        -sum(s * math.log(s) for s in shares if s) if total else None
    )
    return row


def _smooth(found: dict[str, Features], target: str, measure: str) -> None:
    """The orders of 12 months are the trials."""
    name = f"xdiv__{slug(target)}__{measure}__12m"
    known = [(r["rfm__all__tx_n__12m"], r[name]) for r in found.values() if r[name] is not None]
    prior = _prior(known)
    for row in found.values():
        n = row["rfm__all__tx_n__12m"] if row[name] is not None else 0
        row[f"xdiv__div__{measure}__12m"] = _posterior(n, row[name], prior)


def _prior(known: list[tuple[float, float]]) -> tuple[float, float]:
    """Kleinman's estimate of mean and strength from (trials, share), in floats."""
    if not known:
        return 0.0, 1.0
    n = sum(w for w, _ in known)
    mean = sum(w * (math.floor(s * 1e6) / 1e6) for w, s in known) / n
    spread = sum(w * (math.floor(s * 1e6) / 1e6 - mean) ** 2 for w, s in known)
    chance = mean * (1 - mean)
    extra = sum(w * (1 - w / n) for w, _ in known) - (len(known) - 1)
    rho = 0.99
    if chance > 1e-12 and extra > 1e-9:
        rho = (spread - chance * (len(known) - 1)) / (chance * extra)
    rho = min(max(rho, 1e-4), 0.99)
    return mean, (1 - rho) / rho


def _posterior(n: float, share: float | None, prior: tuple[float, float]) -> float:
    mean, strength = prior
    return (n * (share or 0.0) + strength * mean) / (n + strength)


def add_attributes(
    found: dict[str, Features], attributes: dict[str, dict[str, Any]], values: dict[str, list[str]]
) -> None:
    """``values``: of each text column those that five customers of the whole log share."""
    for column in sorted({name for row in attributes.values() for name in row}):
        of = {customer: attributes.get(customer, {}).get(column) for customer in found}
        if any(isinstance(value, str) for value in of.values()) and not values.get(column):
            continue
        if column not in values:
            for customer, row in found.items():
                row[f"attr__all__{column}_value__life"] = of[customer]
            continue
        groups: dict[str, list[str]] = defaultdict(list)
        for customer, text in of.items():
            if text is not None:
                groups[text].append(customer)
        _group_rates(found, groups, column)
        ranked = sorted(groups, key=lambda text: (-len(groups[text]), text))
        for text in values[column]:
            shown = text in ranked[:5] and len(groups[text]) >= 5
            for customer, row in found.items():
                is_it = shown and of[customer] == text
                row[f"attr__all__{column}_is_{slug(text)}__life"] = float(is_it)


def _group_rates(found: dict[str, Features], groups: dict[str, list[str]], column: str) -> None:
    def profit_of(mine: list[str], scope: str) -> float:
        return sum(max(found[c][f"rfm__{scope}__gp_sum__12m"], 0.0) for c in mine)

    def share_of(mine: list[str]) -> float | None:
        whole = profit_of(mine, "all")
        return min(profit_of(mine, "div") / whole, 1.0) if whole else None

    def active(mine: list[str], scope: str) -> float:
        return sum(found[c][f"rfm__{scope}__tx_n__12m"] > 0 for c in mine) / len(mine)

    few = 5 * len(groups) <= sum(map(len, groups.values()))
    for name, rate in (
        (f"attr__all__{column}_active_rate__12m", lambda mine: active(mine, "all")),
        (f"attr__div__{column}_active_rate__12m", lambda mine: active(mine, "div")),
        (f"attr__div__{column}_gp_share__12m", share_of),
    ):
        rates = {text: rate(mine) for text, mine in groups.items()}
        known = [(len(groups[text]), r) for text, r in rates.items() if r is not None]
        prior = _prior(known)
        for row in found.values():
            row[name] = None
        for text, mine in groups.items() if few else ():
            for customer in mine:
                n = len(mine) if rates[text] is not None else 0
                found[customer][name] = _posterior(n, rates[text], prior)
