"""Which pairs make the list that a team can work through, in the order it should be worked.

All modes take pairs that are sorted best first and return row numbers in the order of the list:

``top_percent``       the best share of all eligible pairs
``accounts_per_rep``  the best accounts of each rep, each once, with its best pair
``hybrid``            the best share, but no division fills more than its share of the list or of
                      any beginning of it, and no rep gets more than that many accounts
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Capacity", "Limits", "choose", "share_count"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Limits:
    """``percent`` of the pairs, ``per_rep`` accounts, ``division_share`` of the list."""

    mode: str
    percent: float
    per_rep: int
    division_share: float
    most: int


@dataclass(frozen=True)
class Capacity:
    """Rows of the list in its order; how many the share asked for; why there are fewer."""

    rows: Ints
    asked: int
    note: str


def share_count(total: int, percent: float) -> int:
    """How many of ``total`` make ``percent``: rounded up, at least one, never more than all."""
    return min(max(math.ceil(round(total * percent / 100, 9)), 1), total)


def choose(division: Ints, customer: Ints, rep: Ints, limits: Limits) -> Capacity:
    """``division``, ``customer`` and ``rep`` number the pairs' own, best pair first.

    ``rep`` is -1 for a customer without one.
    """
    if limits.mode == "accounts_per_rep":
        return _by_rep(customer, rep, limits)
    asked = min(share_count(len(division), limits.percent), limits.most)
    if limits.mode == "top_percent":
        return Capacity(np.arange(asked), asked, "")
    return _hybrid(division, customer, rep, limits, asked)


def _by_rep(customer: Ints, rep: Ints, limits: Limits) -> Capacity:
    """Each customer's best pair, and of these the first ones of each rep."""
    _, first = np.unique(customer, return_index=True)
    first = np.sort(first)
    order = np.argsort(rep[first], kind="stable")
    reps = rep[first][order]
    starts = np.flatnonzero(np.diff(reps, prepend=reps[:1] - 1)) if len(reps) else reps
    place = np.arange(len(reps)) - np.repeat(starts, np.diff(np.append(starts, len(reps))))
    rows = np.sort(first[order[place < limits.per_rep]])
    return Capacity(rows[: limits.most], len(rows), "")


def _hybrid(division: Ints, customer: Ints, rep: Ints, limits: Limits, asked: int) -> Capacity:
    """Take the best pair whose division and rep have room, until the share is reached."""
    queues = _queues(division)
    # Less than an even share would leave the list short whatever is in it.
    share = max(limits.division_share, 1 / len(queues)) if queues else 1.0
    accounts = _Accounts(customer, rep, limits.per_rep)
    heads = [(queue.pop(), number) for number, queue in enumerate(queues)]
    heapq.heapify(heads)
    taken = [0] * len(queues)
    chosen: list[int] = []
    waiting: list[tuple[int, int]] = []
    while heads and len(chosen) < asked:
        row, number = heapq.heappop(heads)
        if not accounts.has_room(row):
            _advance(heads, queues, number)
            continue
        room = max(1, math.ceil(round(share * (len(chosen) + 1), 9)))
        if taken[number] >= room:
            waiting.append((row, number))
            continue
        chosen.append(row)
        accounts.add(row)
        taken[number] += 1
        _advance(heads, queues, number)
        for head in waiting:
            heapq.heappush(heads, head)
        waiting.clear()
    note = ""
    if len(chosen) < asked:
        note = (
            f"The list has {len(chosen):,} rows, not the {asked:,} of the share: "
            "whitespace.max_division_share and accounts_per_rep leave no more."
        )
    return Capacity(np.array(chosen, dtype=np.int64), asked, note)


def _queues(division: Ints) -> list[list[int]]:
    """Each division's rows, the best at the end."""
    order = np.argsort(division, kind="stable")
    borders = np.flatnonzero(np.diff(division[order])) + 1
    return [part[::-1].tolist() for part in np.split(order, borders) if len(part)]


def _advance(heads: list[tuple[int, int]], queues: list[list[int]], number: int) -> None:
    if queues[number]:
        heapq.heappush(heads, (queues[number].pop(), number))


class _Accounts:
    """How many accounts each rep has on the list; a customer without a rep is nobody's load."""

    def __init__(self, customer: Ints, rep: Ints, per_rep: int) -> None:
        self._customer, self._rep = customer.tolist(), rep.tolist()
        self._per_rep = per_rep
        self._count: dict[int, int] = {}
        self._listed: set[int] = set()

    def has_room(self, row: int) -> bool:
        rep = self._rep[row]
        full = rep >= 0 and self._count.get(rep, 0) >= self._per_rep
        return not full or self._customer[row] in self._listed

    def add(self, row: int) -> None:
        if self._customer[row] not in self._listed:
            self._listed.add(self._customer[row])
            self._count[self._rep[row]] = self._count.get(self._rep[row], 0) + 1
