"""Joins the families once for all cutoffs, and cuts each division's matrix out of that.

A matrix is the shared block (the same for every division at a cutoff) beside the division's
own block. Both are computed once for all; a matrix is then a join of two ready slices.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.engine import Engine
from gosales.features import (
    affinity,
    als,
    cross_division,
    diversity,
    lifecycle,
    returns,
    rfm,
    seasonality,
    trajectory,
)
from gosales.features.catalog import Feature, missing_flag
from gosales.features.cross_division import Prior
from gosales.features.declared import features_of
from gosales.features.history import History
from gosales.features.winsor import Caps, cap_column, capped, learn_caps
from gosales.settings import FeatureSettings
from gosales.workspace import slug

__all__ = ["Panel", "open_panel"]

# What the own blocks need of a customer beside the shared features.
HELPERS = ("x_gp", "all_tx_12m")


@dataclass(frozen=True)
class Panel:
    """The blocks of all targets and cutoffs, computed, and what was learnt from them.

    ``shared``: for each cutoff, customer -> the shared features. ``own``: (division, cutoff,
    customer) -> the target's own features, for every customer of the shared block. The columns
    are those of all divisions of the star: one that is sold only later is null and 0 throughout.
    """

    features: tuple[Feature, ...]
    shared: Mapping[dt.date, ir.Table]
    own: ir.Table
    shared_caps: Mapping[dt.date, Caps]
    own_caps: Mapping[tuple[str, dt.date], Caps]
    priors: Mapping[tuple[str, dt.date], Prior]

    def matrix(self, division: str, cutoff: dt.date) -> ir.Table:
        """``customer_id``, then the features: every customer with any order by the cutoff."""
        own = self.own.filter(
            (self.own.division == division) & (self.own.cutoff == ibis.literal(cutoff))
        )
        rows = self.shared[cutoff].join(own.drop("division", "cutoff"), "customer_id")
        return rows.order_by("customer_id")

    def caps(self, division: str, cutoff: dt.date) -> Caps:
        return self.shared_caps.get(cutoff, {}) | self.own_caps.get((division, cutoff), {})


def open_panel(
    engine: Engine,
    history: History,
    cutoffs: Sequence[dt.date],
    divisions: Sequence[str],
    targets: Sequence[str],
    settings: FeatureSettings,
) -> Panel:
    """Compute the blocks; ``divisions`` are all of the star, ``targets`` those with a matrix."""
    windows = settings.windows_months
    every = features_of({slug(name): name for name in divisions}, windows)
    off = {name for name in ("affinity", "als") if not getattr(settings, name)}
    every = [f for f in every if f.family not in off]
    shared_features = [f for f in every if not f.is_own]
    own_features = [f for f in every if f.is_own]

    pairs = _left(rfm.pairs(history, windows), returns.pairs(history), PAIR)
    pairs = engine.cache(pairs)
    shared = _customers(history, pairs, divisions, windows)
    if settings.als:
        tastes, alike = als.tables(engine, history, targets)
        shared = _left(shared, tastes, CUSTOMER)
    shared = shared.select(*CUSTOMER, *HELPERS, **{f.name: f.expression for f in shared_features})
    shared = engine.cache(shared)

    priors = cross_division.learn_priors(engine, shared, cutoffs, targets)
    own = _own(engine, shared, pairs, targets, priors)
    if settings.affinity:
        own = _left(own, affinity.pairs(engine, history, targets, settings), PAIR)
    if settings.als:
        own = _left(own, alike, PAIR)
    own = engine.cache(own.select(*PAIR, **{f.name: f.expression for f in own_features}))

    p = settings.gp_winsor_p
    shared_caps = learn_caps(engine, shared, ["cutoff"], shared_features, p)
    own_caps = learn_caps(engine, own, ["division", "cutoff"], own_features, p)
    flags = settings.missing_flags
    return Panel(
        features=tuple(_columns(shared_features, flags) + _columns(own_features, flags)),
        shared=_by_cutoff(
            engine,
            _settle(engine, shared, ["cutoff"], shared_features, shared_caps, flags),
            cutoffs,
        ),
        own=_settle(engine, own, ["division", "cutoff"], own_features, own_caps, flags),
        shared_caps={key[0]: caps for key, caps in shared_caps.items()},
        own_caps={(key[0], key[1]): caps for key, caps in own_caps.items()},
        priors=priors,
    )


CUSTOMER = ["cutoff", "customer_id"]
PAIR = ["division", "cutoff", "customer_id"]


def _customers(
    history: History, pairs: ir.Table, divisions: Sequence[str], windows: Sequence[int]
) -> ir.Table:
    """(cutoff, customer) -> the aggregates of all families."""
    rows = rfm.customers(history, pairs, windows)
    for table in (
        lifecycle.customers(history),
        trajectory.customers(history),
        seasonality.customers(history),
        diversity.customers(history, pairs),
        returns.customers(pairs),
        cross_division.customers(pairs, divisions),
    ):
        rows = _left(rows, table, CUSTOMER)
    return rows


def _own(
    engine: Engine,
    shared: ir.Table,
    pairs: ir.Table,
    targets: Sequence[str],
    priors: Mapping[tuple[str, dt.date], Prior],
) -> ir.Table:
    """(target, cutoff, customer), strangers to the target too -> the pair's aggregates."""
    schema = {"division": pa.string(), "cutoff": pa.date32()}
    schema |= {"prior_mean": pa.float64(), "prior_strength": pa.float64()}
    rows = [
        {
            "division": division,
            "cutoff": cutoff,
            "prior_mean": prior.mean,
            "prior_strength": prior.strength,
        }
        for (division, cutoff), prior in priors.items()
    ]
    learnt = engine.from_rows(rows, pa.schema(schema))
    dense = shared.select(*CUSTOMER, *HELPERS).join(learnt, "cutoff")
    return _left(dense, pairs.filter(pairs.division.isin(list(targets))), PAIR)


def _columns(features: Sequence[Feature], flags: bool) -> list[Feature]:
    return [*features, *(missing_flag(f) for f in features if flags and f.null_when)]


def _settle(
    engine: Engine,
    block: ir.Table,
    keys: list[str],
    features: Sequence[Feature],
    caps: Mapping[tuple[Any, ...], Caps],
    flags: bool,
) -> ir.Table:
    """The block as matrices take it: capped, flagged, sorted."""
    money = [f.name for f in features if f.is_money]
    schema = pa.schema(
        {name: pa.date32() if name == "cutoff" else pa.string() for name in keys}
        | {cap_column(name): pa.float64() for name in money}
    )
    rows = [
        dict(zip(keys, key, strict=True)) | {cap_column(name): own[name] for name in money}
        for key, own in caps.items()
    ]
    met = _left(block, engine.from_rows(rows, schema), keys)
    columns = {f.name: capped(f) for f in features}
    columns |= {f.name: f.expression for f in _columns(features, flags)[len(features) :]}
    order = [*keys, "customer_id"]
    return engine.cache(met.select(*order, **columns).order_by(*order))


def _by_cutoff(
    engine: Engine, shared: ir.Table, cutoffs: Sequence[dt.date]
) -> dict[dt.date, ir.Table]:
    """A slice a cutoff, so that the many matrices of a cutoff need not cut it out again."""
    return {
        day: engine.cache(
            shared.filter(shared.cutoff == ibis.literal(day)).drop("cutoff").order_by("customer_id")
        )
        for day in cutoffs
    }


def _left(left: ir.Table, right: ir.Table, keys: list[str]) -> ir.Table:
    """Left join on keys of the same name, which appear once."""
    return left.left_join(right, keys).drop(*[f"{key}_right" for key in keys])
