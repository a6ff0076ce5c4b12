"""The ideal customer of each division: who, among those without it, went on to buy it.

Rows are customers who had never bought the division at a cutoff whose label window has closed;
windows do not overlap. A value's lift is its buyers' rate over the division's; intervals are
Wilson's, ``q`` is the false discovery rate over all values of the division (Fisher's exact test,
Benjamini-Hochberg).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.errors import NothingToDo
from gosales.etl.star import Star, StarFacts, open_star
from gosales.features import ensure_features
from gosales.labels import ensure_labels
from gosales.models.cutoffs import training_cutoffs
from gosales.months import add_months
from gosales.run import Run
from gosales.whitespace.attributes import Binning, firmographics, history_of, learn, valued
from gosales.whitespace.intervals import false_discovery, wilson
from gosales.whitespace.lookalikes import look_alikes

__all__ = ["DivisionProfile", "ProfileReport", "build_profiles", "profile_table"]

WINDOWS = 4
MIN_BUYERS = 10
CALLED = 0.05
SCHEMA = pa.schema(
    {
        "attribute": pa.string(),
        "value": pa.string(),
        "customers": pa.int64(),
        "buyers": pa.int64(),
        "rate": pa.float64(),
        "lift": pa.float64(),
        "lift_low": pa.float64(),
        "lift_high": pa.float64(),
        "p_value": pa.float64(),
        "q": pa.float64(),
    }
)


@dataclass(frozen=True)
class DivisionProfile:
    """``over``: (attribute, value, lift) that buyers have more than others, strongest first."""

    division: str
    customers: int
    buyers: int
    over: tuple[tuple[str, str, float], ...]
    look_alikes: int


@dataclass(frozen=True)
class ProfileReport:
    """The profiles, the cutoffs they rest on, and the divisions without one and why."""

    cutoffs: tuple[dt.date, ...]
    profiles: tuple[DivisionProfile, ...]
    skipped: dict[str, str]


def build_profiles(run: Run, divisions: Sequence[str]) -> ProfileReport:
    """Write ``icp_profile_<division>.csv`` and, where there are scores, ``icp_lookalikes_``.

    Raises NothingToDo when no label window has closed or no division has enough new buyers.
    """
    star = open_star(run)
    days = _closed_windows(run, star.about)
    ensure_labels(run, list(divisions), days)
    ensure_features(run, list(divisions), days)
    facts = firmographics(run, star, days[0])
    profiles, skipped = [], {}
    with run.step("profile", total=len(divisions)) as step:
        for division in divisions:
            rows, buyer = _rows(run, star, facts, division, days)
            if buyer.sum() < MIN_BUYERS:
                skipped[division] = f"{int(buyer.sum())} new buyers, fewer than {MIN_BUYERS}"
            else:
                profiles.append(_write(run, star, facts, division, days, rows, buyer))
            step.advance(1)
        step.rows = len(profiles)
    if not profiles:
        reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise NothingToDo(f"No division has an ideal customer yet: {reasons}.")
    return ProfileReport(tuple(days), tuple(profiles), skipped)


def profile_table(
    rows: pa.Table, how: Mapping[str, Binning], buyer: npt.NDArray[np.float64]
) -> pa.Table:
    """(customers with attributes, 1 where one bought) -> the profile, best lift_low first."""
    names: list[tuple[str, str]] = []
    counts: list[tuple[float, float]] = []
    for attribute, bins in how.items():
        values, place = valued(rows.column(attribute), bins)
        total = np.bincount(place, minlength=len(values))
        bought = np.bincount(place, weights=buyer, minlength=len(values))
        if (total > 0).sum() < 2:
            continue  # the same for everybody: it tells nobody apart
        for number in np.flatnonzero(total):
            names.append((attribute, values[number]))
            counts.append((float(total[number]), float(bought[number])))
    if not counts:
        return SCHEMA.empty_table()
    n, x = np.array(counts).T
    base = buyer.mean()
    low, high = wilson(x, n)
    p = _exact_test(x, n, float(buyer.sum()), len(buyer))
    table = pa.table(
        {
            "attribute": [name for name, _ in names],
            "value": [value for _, value in names],
            "customers": n.astype(np.int64),
            "buyers": x.astype(np.int64),
            "rate": x / n,
            "lift": x / n / base,
            "lift_low": low / base,
            "lift_high": high / base,
            "p_value": p,
            "q": false_discovery(p),
        },
        schema=SCHEMA,
    )
    keys = [("lift_low", "descending"), ("attribute", "ascending"), ("value", "ascending")]
    return table.sort_by(keys)


def _exact_test(
    x: npt.NDArray[np.float64], n: npt.NDArray[np.float64], buyers: float, total: int
) -> npt.NDArray[np.float64]:
    """Two-sided p-values: twice the smaller tail of the hypergeometric distribution."""
    from scipy import stats

    under = stats.hypergeom.cdf(x, total, buyers, n)
    over = stats.hypergeom.sf(x - 1, total, buyers, n)
    found: npt.NDArray[np.float64] = np.minimum(1.0, 2 * np.minimum(under, over))
    return found


def _closed_windows(run: Run, about: StarFacts) -> list[dt.date]:
    """Of the training cutoffs, newest first, those whose label windows do not overlap.

    Raises NothingToDo when no label window has closed.
    """
    months = run.settings.labels.window_months
    found: list[dt.date] = []
    for day in reversed(training_cutoffs(None, run.settings.modeling, months, about)):
        if not found or add_months(day, months) <= found[-1]:
            found.append(day)
    return found[:WINDOWS]


def _rows(
    run: Run, star: Star, facts: pa.Table, division: str, days: Sequence[dt.date]
) -> tuple[pa.Table, npt.NDArray[np.float64]]:
    """Customers without the division at each cutoff, their attributes, and whether they bought."""
    parts = []
    for day in days:
        labels = run.engine.read_parquet(run.workspace.labels(division, day))
        fresh = labels.filter(labels.is_expansion == 1).select("customer_id", "label")
        told = run.engine.to_arrow(fresh.order_by("customer_id"))
        history = history_of(run, division, day, star.about.divisions)
        parts.append(_beside(_beside(told, history), facts))
    whole = pa.concat_tables(parts).combine_chunks()
    return whole.drop_columns(["label"]), whole.column("label").to_numpy().astype(np.float64)


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """The columns of ``right`` for the customers of ``left``; null for unknown ones."""
    place = pc.index_in(left.column("customer_id"), right.column("customer_id").combine_chunks())
    for name in right.column_names:
        if name != "customer_id":
            left = left.append_column(name, right.column(name).take(place))
    return left


def _write(
    run: Run,
    star: Star,
    facts: pa.Table,
    division: str,
    days: Sequence[dt.date],
    rows: pa.Table,
    buyer: npt.NDArray[np.float64],
) -> DivisionProfile:
    how = learn(rows)
    table = profile_table(rows, how, buyer)
    place = run.workspace
    inputs = [path for day in days for path in (place.labels(division, day),
                                                place.features(division, day))]  # fmt: skip
    alike = look_alikes(run, star, division, table, how, facts)
    with run.commit("profile") as change:
        change.made_from(*inputs)
        change.csv(table, place.for_division("icp_profile", division, "csv"))
        path = place.for_division("icp_lookalikes", division, "csv")
        if alike is None:
            change.remove(path)
        else:
            change.csv(alike, path)
    called = table.filter(
        pc.and_(pc.less_equal(table.column("q"), CALLED), pc.greater(table.column("lift"), 1.0))
    )
    over = [(row["attribute"], row["value"], row["lift"]) for row in called.to_pylist()]
    found = 0 if alike is None else alike.num_rows
    return DivisionProfile(division, len(buyer), int(buyer.sum()), tuple(over), found)
