"""Customers who look like a division's new buyers and have not bought it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.artifacts import entry, require
from gosales.etl.star import Star
from gosales.features import ensure_features
from gosales.run import Run
from gosales.whitespace.attributes import Binning, history_of, valued

__all__ = ["look_alikes"]

MOST = 200
# Values that count: over-represented among buyers at this false discovery rate.
CALLED = 0.1
SHOWN = 3
SCHEMA = pa.schema(
    {
        "rank": pa.int64(),
        "customer_id": pa.string(),
        "customer_name": pa.string(),
        "fit": pa.float64(),
        "matches": pa.int64(),
        "matched": pa.string(),
        "icp_score": pa.float64(),
        "expected_gp": pa.float64(),
    }
)


def look_alikes(
    run: Run,
    star: Star,
    division: str,
    profile: pa.Table,
    how: Mapping[str, Binning],
    facts: pa.Table,
) -> pa.Table | None:
    """The customers who match most of what buyers have more than others; None without scores.

    ``fit`` is the mean over the profile's telling attributes of the log of the matched lift
    (0 where none matches), so that it compares customers, not divisions.
    """
    path = run.workspace.output("icp_scores.parquet")
    if entry(run.workspace, path) is None:
        return None
    scores = run.engine.read_parquet(require(run.workspace, path, "gosales score"))
    mine = scores.filter((scores.division_name == division) & (scores.owned_before == 0))
    free = run.engine.to_arrow(
        mine.select(
            "customer_id", "customer_name", "icp_score", "expected_gp", day=mine.cutoff.cast("date")
        ).order_by("customer_id")
    )
    telling = profile.filter(
        pc.and_(pc.less_equal(profile.column("q"), CALLED), pc.greater(profile.column("lift"), 1.0))
    )
    if not free.num_rows or not telling.num_rows:
        return SCHEMA.empty_table()
    day = free.column("day")[0].as_py()
    ensure_features(run, [division], [day])
    history = history_of(run, division, day, star.about.divisions)
    lifts: dict[str, dict[str, float]] = {}
    for row in telling.to_pylist():
        lifts.setdefault(row["attribute"], {})[row["value"]] = row["lift"]
    gains = np.zeros((free.num_rows, len(lifts)))
    words = np.full(gains.shape, "", dtype=object)
    for number, (attribute, wanted) in enumerate(lifts.items()):
        source = history if attribute in history.column_names else facts
        place = pc.index_in(
            free.column("customer_id"), source.column("customer_id").combine_chunks()
        )
        values, code = valued(source.column(attribute).take(place), how[attribute])
        gain = np.array([np.log(wanted.get(value, 1.0)) for value in values])
        text = np.array([f"{attribute}: {value}" for value in values], dtype=object)
        gains[:, number] = gain[code]
        words[:, number] = text[code]
    return _ranked(free, gains, words)


def _ranked(free: pa.Table, gains: np.ndarray, words: np.ndarray) -> pa.Table:
    fit = gains.sum(axis=1) / gains.shape[1]
    odds = free.column("icp_score").to_numpy()
    order = np.lexsort((np.arange(len(fit)), -odds, -fit))
    order = order[fit[order] > 0][:MOST]
    strongest = np.argsort(-gains[order], axis=1, kind="stable")[:, :SHOWN]
    matched = [
        "; ".join(words[row, column] for column in columns if gains[row, column] > 0)
        for row, columns in zip(order, strongest, strict=True)
    ]
    kept = free.take(pa.array(order))
    return pa.table(
        {
            "rank": np.arange(1, len(order) + 1),
            "customer_id": kept.column("customer_id"),
            "customer_name": kept.column("customer_name"),
            "fit": np.round(fit[order], 6),
            "matches": (gains[order] > 0).sum(axis=1),
            "matched": matched,
            "icp_score": kept.column("icp_score"),
            "expected_gp": kept.column("expected_gp"),
        },
        schema=SCHEMA,
    )
