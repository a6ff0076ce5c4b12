"""The affinity features, against slow versions that leave each customer out by deleting it."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from gosales.features import build_features
from gosales.features.affinity_embedding import GRID, leave_one_out_ridge, on_grid, similarity
from gosales.months import add_months
from gosales.run import Run
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import by_customer, read

CUTOFF = dt.date(2024, 6, 30)
DIVISIONS = ("PDM", "Solidworks", "Training")
LAG, SUPPORT = 60, 2


def log(seed: int, customers: int = 25) -> list[dict[str, Any]]:
    """Some buy on both sides of the lag, of the window, of the cutoff; there are returns, and
    an SKU that is sold in two divisions."""
    rng = random.Random(seed)
    rows = []
    for _ in range(8 * customers):
        division = rng.choice(DIVISIONS)
        sku = rng.choice(["shared", *(f"{division}-{n}" for n in range(4))])
        if division == "Training" and sku == "shared":
            sku = "Training-0"
        day = CUTOFF - dt.timedelta(rng.choice([-9, 0, 20, 59, 60, 61, 300, 700, 731, 900]))
        gp = -5 if rng.random() < 0.1 else 10
        rows.append(fact(f"c{rng.randrange(customers):02d}", day, division, gp, product_sku=sku))
    return rows


Items = dict[str, set[tuple[str, str]]]


def owned(lines: list[dict[str, Any]], until: dt.date) -> Items:
    """customer -> what it bought: ("division", name) and ("product", division/sku)."""
    found: Items = {}
    for line in lines:
        recent = add_months(CUTOFF, -24) < line["order_date"] <= until
        if recent and not line["is_return"]:
            mine = found.setdefault(line["customer_id"], set())
            mine.add(("division", line["product_division"]))
            mine.add(("product", f"{line['product_division']}/{line['product_sku']}"))
    return found


def may_speak(item: tuple[str, str], target: str, skus: set[str]) -> bool:
    kind, name = item
    return name != target if kind == "division" else name.split("/")[1] not in skus


def skus_of(target: str, everything: Items) -> set[str]:
    pairs = [name.split("/") for mine in everything.values() for k, name in mine if k == "product"]
    return {sku for division, sku in pairs if division == target}


def slow_lifts(lines: list[dict[str, Any]], target: str) -> dict[str, list[float]]:
    now, early = owned(lines, CUTOFF), owned(lines, CUTOFF - dt.timedelta(LAG))
    skus = skus_of(target, now)
    found = {}
    for customer, mine in now.items():
        others = [theirs for name, theirs in early.items() if name != customer]
        buyers = sum(("division", target) in theirs for theirs in others)
        values = []
        for item in mine:
            owners = [theirs for theirs in others if item in theirs]
            if may_speak(item, target, skus) and len(owners) >= SUPPORT and buyers:
                both = sum(("division", target) in theirs for theirs in owners)
                values.append((both / len(owners)) / (buyers / len(others)))
        found[customer] = values
    return found


def slow_bayes(lines: list[dict[str, Any]], target: str, kind: str) -> dict[str, float]:
    now = owned(lines, CUTOFF)
    skus = skus_of(target, now)
    items = {item for mine in now.values() for item in mine if item[0] == kind}
    items = {item for item in items if may_speak(item, target, skus)}
    found = {}
    for customer, mine in now.items():
        others = {name: theirs for name, theirs in now.items() if name != customer}
        score = 0.0
        for sign in (1, -1):
            group = [t for t in others.values() if (("division", target) in t) == (sign > 0)]
            have = Counter(item for theirs in group for item in theirs)
            for item in items:
                count = have[item] if item in mine else len(group) - have[item]
                score += sign * math.log((count + 0.5) / (len(group) + 1))
        if any(k == "division" and name != target for k, name in mine):
            found[customer] = score
    return found


def standardised(values: dict[str, float]) -> dict[str, float]:
    numbers = np.array(list(values.values()))
    return {key: (v - numbers.mean()) / numbers.std() for key, v in values.items()}


@pytest.fixture
def made(run_in: OpenRun) -> Any:
    lines = log(5)
    flags = {"features.affinity_lag_days": LAG, "features.affinity_min_support": SUPPORT}
    with run_in(**flags) as run:
        write_star(run, lines)
        build_features(run, ["all"], [CUTOFF])
        yield lines, {division: by_customer(read(run, division, CUTOFF)) for division in DIVISIONS}


def test_lifts_equal_those_of_a_log_without_the_customer(made: Any) -> None:
    lines, found = made
    seen = 0
    for target in DIVISIONS:
        wanted = slow_lifts(lines, target)
        for customer, row in found[target].items():
            values = wanted.get(customer, [])
            most, mean = (row[f"affinity__div__lift_{m}__24m"] for m in ("max", "mean"))
            if not values:
                assert most is mean is None
                continue
            seen += 1
            assert most == pytest.approx(max(values), rel=1e-6)
            assert mean == pytest.approx(sum(values) / len(values), rel=1e-6)
    assert seen > 40


@pytest.mark.parametrize(("measure", "kind"), [("divisions", "division"), ("products", "product")])
def test_naive_bayes_equals_that_of_a_log_without_the_customer(
    made: Any, measure: str, kind: str
) -> None:
    lines, found = made
    for target in DIVISIONS:
        wanted = standardised(slow_bayes(lines, target, kind))
        got = {
            customer: row[f"affinity__div__nb_{measure}__24m"]
            for customer, row in found[target].items()
            if row[f"affinity__div__nb_{measure}__24m"] is not None
        }
        assert got == pytest.approx(wanted, abs=1e-5)


def test_the_ridge_equals_one_fitted_without_the_customer() -> None:
    rng = np.random.default_rng(3)
    place, buys = on_grid(rng.normal(size=(30, 4)) / 3), rng.random(30) < 0.4
    known = np.arange(30) != 7
    got = leave_one_out_ridge(place, known, buys, penalty=0.7)
    assert np.isnan(got[7])
    for row in np.flatnonzero(known):
        rest = known & (np.arange(30) != row)
        model = Ridge(alpha=0.7).fit(place[rest] / GRID, buys[rest])
        # sklearn centres by the rest, the closed form by all: the same fit.
        assert got[row] == pytest.approx(model.predict(place[[row]] / GRID)[0], abs=1e-9)


def test_a_buyer_is_compared_with_the_other_buyers() -> None:
    rng = np.random.default_rng(4)
    place, buys = on_grid(rng.normal(size=(12, 3)) / 3), np.arange(12) < 5
    known = np.ones(12, dtype=bool)
    got = similarity(place, known, buys)
    for row in range(12):
        mean = place[buys & (np.arange(12) != row)].mean(axis=0)
        cosine = place[row] @ mean / np.linalg.norm(place[row]) / np.linalg.norm(mean)
        assert got[row] == pytest.approx(cosine, abs=1e-12)
    assert np.isnan(similarity(place, known, np.arange(12) == 0)[0])


def test_what_goes_together_ranks_first(run: Run) -> None:
    """Buyers of A and of B mix only by who also buys PDM: A's do, B's do not."""
    lines = []
    for n in range(60):
        taste = "A" if n % 2 else "B"
        lines += [fact(f"c{n:02d}", "2024-03-01", taste, 5, product_sku=f"{taste}{n % 3}")]
        if taste == "A" and n % 4 == 1:
            lines += [fact(f"c{n:02d}", "2024-03-02", "PDM", 5)]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    rows = by_customer(read(run, "PDM", CUTOFF))
    strangers = {key: row for key, row in rows.items() if row["xdiv__pdm__owned__life"] == 0}
    for name in next(iter(rows.values())):
        if name.startswith("affinity"):
            own = [r[name] for key, r in strangers.items() if int(key[1:]) % 2]
            other = [r[name] for key, r in strangers.items() if not int(key[1:]) % 2]
            assert min(own) > max(other), name


@pytest.mark.parametrize("customers", [1, 2, 20])
@pytest.mark.parametrize("divisions", [1, 2])
def test_the_smallest_logs_have_the_columns_and_no_number_that_is_none(
    run: Run, customers: int, divisions: int
) -> None:
    lines = [
        fact(f"c{n}", "2024-05-01", DIVISIONS[n % divisions], 5, product_sku=f"s{n % 3}")
        for n in range(customers)
    ]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    for row in by_customer(read(run, "PDM", CUTOFF)).values():
        values = [value for name, value in row.items() if name.startswith("affinity")]
        assert len(values) == 8
        assert all(value is None or math.isfinite(value) for value in values)
        if divisions == 1:
            assert set(values) == {None}


def test_the_toggle_takes_the_columns_away(run_in: OpenRun) -> None:
    with run_in(**{"features.affinity": False}) as run:
        write_star(run, log(6))
        build_features(run, ["PDM"], [CUTOFF])
        row = next(iter(by_customer(read(run, "PDM", CUTOFF)).values()))
        assert not [name for name in row if name.startswith("affinity")]
