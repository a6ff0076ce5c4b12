"""Caps on money features: learnt at the cutoff, recorded, applied to that cutoff only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.engine import Engine
from gosales.features.catalog import Feature, Value

__all__ = ["Caps", "cap_column", "capped", "learn_caps"]

ROUNDING = 1e-12
# Feature name -> its greatest value that is kept; None: no customer to learn it from.
Caps = dict[str, float | None]


def learn_caps(
    engine: Engine, table: ir.Table, keys: list[str], features: Sequence[Feature], p: float
) -> dict[tuple[Any, ...], Caps]:
    """The quantile ``p`` of each money feature for each value of ``keys``.

    A cap is a value that occurs: the least one at or above the quantile, so that logs of fewer
    than 1 / (1 - p) customers keep their greatest values, and engines that interpolate
    differently in the last bit agree. Customers whose value is 0 or null do not count: in a
    division that few buy from, the quantile over all customers would be 0 and wipe the
    feature out. A cap is never below 0.
    """
    money = [feature.name for feature in features if feature.is_money]
    near = table.group_by(*keys).agg(
        **{f"near_{name}": table[name].quantile(p, where=table[name] != 0) for name in money}
    )
    met = table.select(*keys, *money).join(near, keys)
    caps = met.group_by(*keys).agg(
        **{name: met[name].min(where=_at_least(met[name], met[f"near_{name}"])) for name in money}
    )
    rows = engine.to_arrow(caps).to_pylist()
    return {
        tuple(row[key] for key in keys): {name: _not_negative(row[name]) for name in money}
        for row in rows
    }


def capped(feature: Feature) -> Value:
    """The feature's value, at most the column ``cap__<name>``; null stays null."""
    value = _[feature.name]
    if not feature.is_money:
        return value
    cap = _[cap_column(feature.name)]
    return ibis.ifelse(value > cap, cap, value)


def cap_column(name: str) -> str:
    return f"cap__{name}"


def _at_least(value: Value, near: Value) -> Value:
    """Whether a value that counts is at or above an interpolated one, but for its last bits."""
    return (value != 0) & (value >= near - near.abs() * ROUNDING)


def _not_negative(cap: float | None) -> float | None:
    return None if cap is None or cap != cap else max(cap, 0.0)
