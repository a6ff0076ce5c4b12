"""Who buys what in which month, and the exact chance of it.

A month's hazard of a (customer, division) depends on

- fixed traits: industry, size and activity;
- the calendar: season, growth, a division's launch, the shift;
- other divisions owned for at least ``WINDOW_MONTHS``;
- the same division's own past: repeat sales, or a renewal a year after the last one.

So until the first purchase inside a window of ``WINDOW_MONTHS`` its hazards are all
known at the cutoff, and the chance to buy in the window has a closed form
(`_window_chance`). A purchase may bring another division along in the same month; such
a bringer's hazard must not depend on its own last six months, hence ``_BRINGER``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gosales.samples.catalog import DIVISIONS, INDUSTRIES
from gosales.samples.spec import (
    MONTHS,
    WINDOW_MONTHS,
    SimulationSpec,
    month_index,
    shift_month,
)
from gosales.samples.world import Customers

__all__ = ["CUTOFFS", "Purchases", "Truth", "simulate_demand"]

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CUTOFFS = (
    dt.date(2022, 12, 31),
    dt.date(2023, 3, 31),
    dt.date(2023, 6, 30),
    dt.date(2023, 9, 30),
    dt.date(2023, 12, 31),
    dt.date(2024, 3, 31),
    dt.date(2024, 6, 30),
)
"""Quarter ends whose truth is told: two years of history before, six months after."""

_NAMES = [d.name for d in DIVISIONS]
_NEVER = 10_000
_SEASON = (0.85, 0.95, 1.2, 0.95, 1.0, 1.2, 0.8, 0.85, 1.2, 1.0, 1.0, 1.45)
_RENEWAL = np.array([0.012] * 10 + [0.05, 0.30, 1.25, 0.55, 0.20] + [0.03] * MONTHS)
"""Hazard of a renewing division by months since its last purchase."""
_FIRST_ACTIVITY = 0.4
_AGAIN_ACTIVITY = 0.85

_AFTER = np.array([[d.after.get(name, 0.0) for d in DIVISIONS] for name in _NAMES])
_BRINGS = np.array([[d.brings.get(name, 0.0) for name in _NAMES] for d in DIVISIONS])
_BRINGER = _BRINGS.any(axis=1)
_SHIFT_DEMAND = np.log(
    [0.75 * factor for factor in (0.8, 1.0, 1.3, 0.7, 0.6, 0.8, 1.3, 1.9, 1.7, 0.6, 1.0, 1.8)]
)
"""Demand after the shift, by division: a quarter lower, and moved to printing."""
_RENEWS = np.array([d.renews for d in DIVISIONS])
_LOG_FLAT = np.log([d.flat for d in DIVISIONS])


@dataclass(frozen=True)
class Purchases:
    """One element a (customer, month, division) with a purchase, in order of month.

    ``again`` is false for the first ever; ``joint`` says that the customer's
    purchases of this month share a document.
    """

    customer: Ints
    month: Ints
    division: Ints
    again: Flags
    joint: Flags


@dataclass(frozen=True)
class Truth:
    """At one cutoff, for the customers with an order by then (rows of the other arrays).

    ``probability``, ``owned`` and ``bought`` are (customers, divisions).
    """

    cutoff: dt.date
    customer: Ints
    probability: Floats
    owned: Flags
    bought: Flags


@dataclass
class _State:
    """What has happened so far; months of the first and last purchase, (customers, divisions)."""

    first: Ints
    last: Ints
    alive: Flags


@dataclass(frozen=True)
class _Hazards:
    """The fixed parts of the hazards' logarithms, and how to put a month's together."""

    first: Floats
    again: Floats
    calendar: Floats
    signal: float
    dampen: float

    @property
    def size(self) -> tuple[int, int]:
        return self.first.shape[0], self.first.shape[1]

    def month(self, state: _State, month: int) -> Floats:
        """The hazards (customers, divisions) of one month, given what happened before it."""
        if self.signal == 0:
            return np.broadcast_to(np.exp(_LOG_FLAT + self.dampen), self.size)
        seasoned = state.first <= month - WINDOW_MONTHS
        owned = np.where(_BRINGER, seasoned, state.first < month)
        fresh = self.first + seasoned @ _AFTER
        age = np.clip(month - state.last[:, _RENEWS], 0, len(_RENEWAL) - 1)
        again = self.again.copy()
        again[:, _RENEWS] += np.log(_RENEWAL)[age]
        full = np.where(owned, again, fresh) + self.calendar[month]
        blend = full if self.signal == 1 else self.signal * full + (1 - self.signal) * _LOG_FLAT
        return np.asarray(np.exp(blend + self.dampen), dtype=np.float64)


def simulate_demand(
    spec: SimulationSpec, customers: Customers, block: int, dampen: float = 0.0
) -> tuple[Purchases, list[Truth]]:
    """The purchases of a block of customers over all months, and the truth at each cutoff.

    ``dampen`` is added to the logarithm of every hazard (for logs with few rows).
    """
    rng = np.random.default_rng([spec.seed, 2, block])
    hazards = _hazards(spec, customers, dampen)
    shape = hazards.size
    state = _State(np.full(shape, _NEVER), np.full(shape, -_NEVER), np.zeros(shape[0], bool))
    ends = {month_index(cutoff): cutoff for cutoff in CUTOFFS}
    parts: list[Purchases] = []
    open_windows: dict[int, Truth] = {}
    truths: list[Truth] = []
    for month in range(MONTHS):
        parts.append(_live_month(month, state, hazards, customers, rng))
        if month in ends:
            open_windows[month] = _foretell(ends[month], month, state, hazards, customers)
        told = open_windows.pop(month - WINDOW_MONTHS, None)
        if told is not None:
            bought = state.last[told.customer] > month - WINDOW_MONTHS
            truths.append(replace(told, bought=bought))
    names = ("customer", "month", "division", "again", "joint")
    return Purchases(*(np.concatenate([getattr(p, name) for p in parts]) for name in names)), truths


def _hazards(spec: SimulationSpec, customers: Customers, dampen: float) -> _Hazards:
    """The traits' and the calendar's parts of the hazards."""
    liking = np.array([[d.industries.get(name, 0.0) for d in DIVISIONS] for name in INDUSTRIES])
    step = np.array([d.size for d in DIVISIONS])
    bigness = (customers.size - 1.4)[:, None] * step
    activity = customers.activity[:, None]
    log_first = np.log([d.first for d in DIVISIONS])
    log_again = np.log([d.again if d.again else 1.0 for d in DIVISIONS])
    activity_again = np.where(_RENEWS, 0.15, _AGAIN_ACTIVITY)
    return _Hazards(
        first=log_first + bigness + liking[customers.industry] + _FIRST_ACTIVITY * activity,
        again=log_again + np.where(_RENEWS, 0, bigness / 2) + activity_again * activity,
        calendar=_calendar(spec),
        signal=spec.signal,
        dampen=dampen,
    )


def _calendar(spec: SimulationSpec) -> Floats:
    """Log effects (months, divisions) of season, growth, launch and shift.

    A division sells nothing before its launch and reaches its full level in a year.
    """
    months = np.arange(MONTHS)
    effect = np.repeat(np.log(_SEASON)[months % 12][:, None], len(DIVISIONS), axis=1)
    effect += 0.04 * (months[:, None] / 12 - 2)
    for column, division in enumerate(DIVISIONS):
        if division.launch is not None:
            age = months - month_index(dt.date(*division.launch, 1))
            ramp = np.log(np.clip(0.5 + age / 24, 0.5, 1.0))
            effect[:, column] += np.where(age < 0, -np.inf, ramp)
    if spec.shift is not None:
        effect[months >= shift_month(spec.shift)] += _SHIFT_DEMAND
    return effect


def _live_month(
    month: int, state: _State, hazards: _Hazards, customers: Customers, rng: np.random.Generator
) -> Purchases:
    """Let customers leave, arrive and buy; changes ``state``."""
    shape = hazards.size
    state.alive &= rng.random(shape[0]) >= customers.churn
    own = rng.random(shape) < -np.expm1(-hazards.month(state, month))
    own &= state.alive[:, None]
    arriving = customers.arrival == month
    own[arriving, customers.opener[arriving]] = True
    state.alive |= arriving
    brought = np.zeros(shape, bool)
    for source, target in np.argwhere(_BRINGS):
        along = own[:, source] & (rng.random(shape[0]) < _BRINGS[source, target])
        brought[:, target] |= along
    joint = (rng.random(shape[0]) < 0.6) | brought.any(axis=1)
    bought = own | brought
    who, what = np.nonzero(bought)
    again = state.first[who, what] < month
    state.first[bought] = np.minimum(state.first[bought], month)
    state.last[bought] = month
    return Purchases(
        customer=who.astype(np.int32),
        month=np.full(len(who), month, np.int8),
        division=what.astype(np.int8),
        again=again,
        joint=joint[who],
    )


def _foretell(
    cutoff: dt.date, month: int, state: _State, hazards: _Hazards, customers: Customers
) -> Truth:
    """The truth at a cutoff, but for what will be bought."""
    known = np.flatnonzero(customers.arrival <= month)
    chance = _window_chance(month, state, hazards, customers.churn)
    chance *= state.alive[:, None]
    owned = state.first <= month
    return Truth(cutoff, known, chance[known], owned[known], np.zeros(owned[known].shape, bool))


def _window_chance(month: int, state: _State, hazards: _Hazards, churn: Floats) -> Floats:
    """P(a purchase in the next ``WINDOW_MONTHS`` months) of those still there, exactly.

    Backwards over the window's months: the chance to buy nothing from a month on is
    that of leaving before it, or of staying, buying nothing in it, and nothing after.
    A month without a purchase of d has neither a purchase for its own sake nor one
    brought along by another division.
    """
    nothing = np.ones(hazards.size)
    leave = churn[:, None]
    for step in range(WINDOW_MONTHS, 0, -1):
        hazard = hazards.month(state, month + step)
        quiet = np.exp(-hazard)
        for source, target in np.argwhere(_BRINGS):
            bring = -np.expm1(-hazard[:, source]) * _BRINGS[source, target]
            quiet[:, target] *= 1 - bring
        nothing = leave + (1 - leave) * quiet * nothing
    return 1 - nothing
