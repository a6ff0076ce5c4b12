from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from gosales.whitespace.capacity import Limits, choose, share_count


def limits(mode: str, **more: float) -> Limits:
    values = {"percent": 10.0, "per_rep": 2, "division_share": 0.4, "most": 10_000} | more
    return Limits(mode, values["percent"], int(values["per_rep"]), values["division_share"],
                  int(values["most"]))  # fmt: skip


def pairs(n: int = 2000, seed: int = 3, reps: int = 7):
    """Division 0 has all of the best pairs; customers come up in several divisions."""
    rng = np.random.default_rng(seed)
    division = np.concatenate([np.zeros(n // 4, int), rng.integers(0, 5, n - n // 4)])
    customer = rng.integers(0, n // 4, n)
    return division, customer, customer % reps


@pytest.mark.parametrize("percent", [0.01, 1, 9.99, 10, 33.3, 100])
def test_the_share_is_exact_under_ties(percent: float) -> None:
    """Ties are settled before: the count depends on the number of pairs alone."""
    found = choose(*pairs(), limits("top_percent", percent=percent))
    expected = min(max(math.ceil(round(2000 * percent / 100, 9)), 1), 2000)
    assert found.rows.tolist() == list(range(expected))
    assert share_count(10, 30) == 3 and share_count(0, 30) == 0


@pytest.mark.parametrize("share", [0.25, 0.4, 0.5, 1.0])
def test_no_beginning_of_a_hybrid_list_is_one_divisions(share: float) -> None:
    division, customer, rep = pairs()
    found = choose(division, customer, rep, limits("hybrid", division_share=share, per_rep=999))
    assert len(found.rows) == found.asked == 200
    assert len(set(found.rows.tolist())) == 200
    seen: Counter[int] = Counter()
    for place, row in enumerate(found.rows, start=1):
        seen[int(division[row])] += 1
        assert max(seen.values()) <= max(1, math.ceil(round(share * place, 9)))
    for one in range(5):
        mine = [row for row in found.rows if division[row] == one]
        assert mine == sorted(mine)
        assert mine == np.flatnonzero(division == one)[: len(mine)].tolist()


def test_without_a_cap_a_hybrid_list_is_the_best_share() -> None:
    found = choose(*pairs(), limits("hybrid", division_share=1.0, per_rep=999))
    assert found.rows.tolist() == list(range(200))


def test_a_single_division_may_fill_the_list() -> None:
    n = np.arange(50)
    found = choose(np.zeros(50, int), n, n, limits("hybrid", percent=50, per_rep=99))
    assert found.rows.tolist() == list(range(25))


def test_a_cap_that_leaves_too_few_rows_says_so() -> None:
    division = np.array([0] * 90 + [1] * 10)
    n = np.arange(100)
    found = choose(division, n, n, limits("hybrid", percent=100, division_share=0.5, per_rep=999))
    assert Counter(division[found.rows].tolist()) == {0: 11, 1: 10}
    assert "21 rows, not the 100" in found.note


def test_a_hybrid_list_gives_no_rep_more_accounts_than_its_share() -> None:
    division, customer, rep = pairs()
    found = choose(division, customer, rep, limits("hybrid", percent=100, per_rep=3))
    accounts = {int(customer[row]) for row in found.rows}
    assert Counter(one % 7 for one in accounts) == dict.fromkeys(range(7), 3)
    free = choose(division, customer, np.full(2000, -1), limits("hybrid", percent=10, per_rep=1))
    assert len(free.rows) == 200


def test_each_rep_gets_that_many_accounts_each_once_with_its_best_pair() -> None:
    division, customer, rep = pairs()
    found = choose(division, customer, rep, limits("accounts_per_rep", per_rep=5))
    accounts = customer[found.rows].tolist()
    assert len(accounts) == len(set(accounts)) == 35
    assert Counter(rep[found.rows].tolist()) == dict.fromkeys(range(7), 5)
    for row in found.rows:
        assert row == np.flatnonzero(customer == customer[row])[0]
    assert found.rows.tolist() == sorted(found.rows.tolist())
    worst = {one: max(r for r in found.rows if rep[r] == one) for one in range(7)}
    for one in range(7):
        left = set(customer[(rep == one)].tolist()) - set(accounts)
        firsts = [np.flatnonzero(customer == name)[0] for name in left]
        assert min(firsts) > worst[one]


def test_a_rep_with_few_accounts_gets_all_of_them() -> None:
    n = np.arange(4)
    found = choose(n, n, np.array([0, 0, 1, -1]), limits("accounts_per_rep", per_rep=2))
    assert found.rows.tolist() == [0, 1, 2, 3]
