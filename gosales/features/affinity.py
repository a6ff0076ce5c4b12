"""Market basket: how well what a customer owns elsewhere goes with the target division.

Everything is learnt at the cutoff, from the purchases of the 24 months up to it; the target
division's own products never speak for it, and a customer is never evidence about itself.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _
from scipy import sparse
from threadpoolctl import threadpool_limits

from gosales.engine import Engine
from gosales.features.affinity_baskets import MONTHS, Baskets, Floats, read_baskets
from gosales.features.affinity_embedding import embed, leave_one_out_ridge, on_grid, similarity
from gosales.features.affinity_lift import lifts, naive_bayes
from gosales.features.catalog import Feature
from gosales.features.history import History
from gosales.settings import FeatureSettings

__all__ = ["features", "pairs"]

# Of the ridges, in customers.
PENALTY = 5.0
# Spreads below this are the grid's rounding.
NOISE = 1e-4
LIFTS = {
    "lift_max": "greatest lift towards this division of anything owned",
    "lift_mean": "mean lift towards this division of what is owned",
}
# Standardised over the customers of a cutoff: these have no scale of their own.
SCORES = {
    "nb_divisions": "divisions owned speak for this one (naive Bayes)",
    "nb_products": "products owned speak for this division (naive Bayes)",
    "share_ridge": "mix of divisions is like that of this one's buyers (ridge)",
    "svd_cosine": "taste in products is like that of this division's buyers (cosine)",
    "svd_fit": "taste in products calls for this division's products (reconstruction)",
    "svd_ridge": "taste in products is like that of this division's buyers (ridge)",
}
SCHEMA = pa.schema(
    {"division": pa.string(), "cutoff": pa.date32(), "customer": pa.int32()}
    | {f"affinity_{name}": pa.float32() for name in (*LIFTS, *SCORES)}
)


def features() -> list[Feature]:
    elsewhere = f"nothing bought in other divisions in the last {MONTHS} months"
    found = [
        Feature(
            "affinity", "div", name, f"{MONTHS}m", "lift", f"{text} in the last {MONTHS} months",
            _[f"affinity_{name}"],
            null_when=f"{elsewhere}, or nothing that enough customers own",
        )
        for name, text in LIFTS.items()
    ]  # fmt: skip
    found += [
        Feature(
            "affinity", "div", name, f"{MONTHS}m", "spreads",
            f"how much the {text}, against all customers",
            _[f"affinity_{name}"],
            null_when=f"{elsewhere}, or no other buyers in this division",
        )
        for name, text in SCORES.items()
    ]  # fmt: skip
    return found


def pairs(
    engine: Engine, history: History, targets: Sequence[str], settings: FeatureSettings
) -> ir.Table:
    """(target, cutoff, customer) -> ``affinity_<measure>``, for customers with recent purchases."""
    found = read_baskets(engine, history, settings.affinity_lag_days)
    rows = (
        _rows(cutoff, baskets, target, values)
        for cutoff, baskets in found
        for target, values in _measures(baskets, settings.affinity_min_support)
        if target in targets
    )
    # One thread: more of them change the last bits, and only get in each other's way.
    with threadpool_limits(1):
        return engine.from_tables(SCHEMA, rows)


def _rows(cutoff: dt.date, baskets: Baskets, target: str, values: dict[str, Floats]) -> pa.Table:
    count = len(baskets.customers)
    keys = [pa.repeat(target, count), pa.repeat(pa.scalar(cutoff), count), baskets.customers]
    columns = [pa.array(values[name], pa.float32(), from_pandas=True) for name in values]
    return pa.Table.from_arrays([*keys, *columns], schema=SCHEMA)


def _measures(baskets: Baskets, min_support: int) -> Iterator[tuple[str, dict[str, Floats]]]:
    """For each division of the baskets, the measures of all customers, NaN where undefined."""
    buys, elsewhere = baskets.owned, ~np.eye(len(baskets.divisions), dtype=bool)
    by_division = naive_bayes(sparse.csr_array(buys * 1.0), elsewhere, buys)
    by_product = naive_bayes((baskets.days > 0).astype(np.float64), ~baskets.sold, buys)
    embedding = embed(baskets)
    for number, (most, mean) in enumerate(lifts(baskets, min_support)):
        own, hidden = buys[:, number], baskets.sold[:, number]
        mix = baskets.division_days * elsewhere[number]
        bought = mix.sum(axis=1)
        mix = on_grid(mix / np.maximum(bought, 1.0)[:, None])
        place, placed = embedding.of(hidden)
        scores = {
            "nb_divisions": by_division[:, number],
            "nb_products": by_product[:, number],
            "share_ridge": leave_one_out_ridge(mix, bought > 0, own, PENALTY),
            "svd_cosine": similarity(place, placed, own),
            "svd_fit": embedding.fit(place, placed, hidden),
            "svd_ridge": leave_one_out_ridge(place, placed, own, PENALTY),
        }
        # Without buyers and without others than the customer itself there is nothing to learn.
        others = (own.sum() > own) & ((~own).sum() > ~own) & (bought > 0)
        yield (
            baskets.divisions[number],
            {"lift_max": most, "lift_mean": mean}
            | {name: _standardised(np.where(others, v, np.nan)) for name, v in scores.items()},
        )


def _standardised(values: Floats) -> Floats:
    """Distance from the mean in standard deviations; 0 where all are equal."""
    known = values[~np.isnan(values)]
    if not len(known):
        return values
    # fsum rounds once, at the end: the order of the customers does not matter.
    mean = math.fsum(known.tolist()) / len(known)
    spread = math.sqrt(math.fsum(((known - mean) ** 2).tolist()) / len(known))
    return (values - mean) / spread if spread > NOISE else values * 0.0
