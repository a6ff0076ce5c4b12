"""What a profile looks at: a customer's attributes, the divisions owned, and behaviours.

Texts are kept with their commonest values, numbers are cut into bins that hold about as many
customers each. What ``scoring.sensitive_attributes`` names is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.amounts import amount
from gosales.etl.star import Star
from gosales.features import read_features
from gosales.run import Run
from gosales.sensitive import is_sensitive
from gosales.whitespace.pairs import customer_facts
from gosales.workspace import slug

__all__ = ["OTHER", "Binning", "binning", "firmographics", "history_of", "learn", "valued"]

BINS, MOST_VALUES = 5, 25
UNKNOWN, OTHER = "unknown", "other"
# Behaviour -> its name in a profile.
BEHAVIOURS = {
    "rfm__all__tx_n__12m": "orders in 12 months",
    "rfm__all__gp_sum__12m": "gross profit in 12 months",
    "rfm__all__gp_mean__12m": "gross profit an order",
    "rfm__all__recency_days__life": "days since the last order",
    "lifecycle__all__tenure_days__life": "days since the first order",
    "lifecycle__all__gap_days_mean__life": "usual days between orders",
    "diversity__all__divisions_n__12m": "divisions bought in 12 months",
    "diversity__all__skus_n__12m": "different products in 12 months",
}
# Columns of dim_customer that are no attributes.
CORE = {
    "customer_id", "customer_name", "customer_name_key", "enrichment_match", "enrichment_score",
    "first_order_date", "last_order_date", "orders", "gross_profit", "region", "rep",
}  # fmt: skip


@dataclass(frozen=True)
class Binning:
    """How a column becomes values: ``kept`` texts, or ``edges`` between bins of numbers."""

    kept: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    numeric: bool = False


def firmographics(run: Run, star: Star, cutoff: dt.date) -> pa.Table:
    """customer_id, region (of the newest order) and the enrichment's attributes, by customer."""
    facts = customer_facts(run, star, cutoff).select("customer_id", "region")
    names = [name for name in star.customers.columns if name not in CORE]
    whole = facts.join(star.customers.select("customer_id", *names), "customer_id")
    table = run.engine.to_arrow(whole.order_by("customer_id"))
    private = run.settings.scoring.sensitive_attributes
    shown = [
        name
        for name in table.column_names
        if not is_sensitive(name, private) and table.column(name).null_count < table.num_rows
    ]
    return table.select(shown)


def history_of(run: Run, division: str, cutoff: dt.date, divisions: Sequence[str]) -> pa.Table:
    """customer_id, ``owns <division>`` (yes/no) and the behaviours at a cutoff, by customer."""
    features = read_features(run, division, cutoff)
    there = set(features.column_names)
    owned = {
        f"xdiv__{slug(name)}__owned__life": f"owns {name}"
        for name in divisions
        if name != division and f"xdiv__{slug(name)}__owned__life" in there
    }
    private = run.settings.scoring.sensitive_attributes
    wanted = {
        column: name
        for column, name in {**owned, **BEHAVIOURS}.items()
        if column in there and not is_sensitive(name, private)
    }
    table = features.select(["customer_id", *wanted]).rename_columns(
        ["customer_id", *wanted.values()]
    )
    for column, name in owned.items():
        if column in wanted:
            place = table.column_names.index(name)
            yes = pc.if_else(pc.greater(table.column(name), 0), "yes", "no")
            table = table.set_column(place, name, yes)
    return table


def binning(column: pa.ChunkedArray) -> Binning:
    """Learn the values of a column: its commonest texts, or quantile edges of its numbers."""
    if _is_number(column.type):
        known = _numbers(column)
        known = known[~np.isnan(known)]
        if not len(known):
            return Binning(numeric=True)
        edges = np.quantile(known, np.arange(1, BINS) / BINS, method="higher")
        inner = [float(edge) for edge in np.unique(edges) if edge > known.min()]
        return Binning(edges=tuple(inner), numeric=True)
    counts = pc.value_counts(column.drop_null()).to_pylist()
    ranked = sorted(counts, key=lambda row: (-row["counts"], str(row["values"])))
    return Binning(kept=tuple(str(row["values"]) for row in ranked[:MOST_VALUES]))


def valued(column: pa.ChunkedArray, how: Binning) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The values' names and each row's place among them; nulls are ``unknown``."""
    if how.numeric:
        numbers = _numbers(column)
        names = _ranges(how.edges)
        place = np.searchsorted(np.array(how.edges), numbers, side="right")
        return [*names, UNKNOWN], np.where(np.isnan(numbers), len(names), place)
    names = [*how.kept, OTHER, UNKNOWN]
    texts = column.cast(pa.string())
    found = pc.index_in(texts, pa.array(list(how.kept), pa.string()))
    place = found.fill_null(len(how.kept)).to_numpy().astype(np.int64)
    missing = pc.is_null(texts).to_numpy(zero_copy_only=False)
    return names, np.where(missing, len(how.kept) + 1, place)


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["any"]
    shown = _told_apart(edges)
    middle = [f"{low} to under {high}" for low, high in pairwise(shown)]
    return [f"under {shown[0]}", *middle, f"{shown[-1]} or more"]


def _told_apart(edges: Sequence[float]) -> list[str]:
    """As amounts are told; with more decimals where two would read the same."""
    shown = [amount(edge) for edge in edges]
    decimals = 2
    while len(set(shown)) < len(edges):
        shown = [f"{edge:,.{decimals}f}" for edge in edges]
        decimals += 1
    return shown


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    values: Any = column.cast(pa.float64()).to_numpy()
    return np.asarray(values, dtype=np.float64)


def learn(table: pa.Table) -> Mapping[str, Binning]:
    """A binning for each column but customer_id."""
    return {
        name: binning(table.column(name)) for name in table.column_names if name != "customer_id"
    }
