"""Reads a matrix back with every declared feature, those that were left out included."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from gosales.artifacts import require
from gosales.checksum import parquet_batches
from gosales.errors import StaleArtifact
from gosales.run import Run

__all__ = ["read_features"]


def read_features(
    run: Run, division: str, cutoff: dt.date, names: Sequence[str] | None = None
) -> pa.Table:
    """``customer_id``, then the features as float64, rows sorted by customer.

    A constant or a repetition that the matrix does without is made again from what the
    statistics say of it, so that the features of any two cutoffs fit together. Without
    ``names`` the features stand in their declared order; with them, exactly these. Raises
    MissingArtifact, StaleArtifact (a name that this matrix does not know) or IntegrityError.
    """
    made_by = f'gosales features --division "{division}" --cutoff {cutoff}'
    place = run.workspace
    path = require(place, place.features(division, cutoff), made_by)
    stats = require(place, place.for_cutoff("feature_stats", division, cutoff, "json"), made_by)
    table = pa.Table.from_batches(list(parquet_batches(path)))
    columns = _every(table, json.loads(stats.read_bytes())["left_out"])
    chosen = list(columns) if names is None else list(names)
    if unknown := [name for name in chosen if name not in columns]:
        raise StaleArtifact(
            f"{place.relative(path)} does not know '{unknown[0]}'.",
            f"Make it again with: {made_by}",
        )
    return pa.table({"customer_id": table["customer_id"]} | {n: columns[n] for n in chosen})


def _every(table: pa.Table, left_out: list[dict[str, Any]]) -> dict[str, pa.ChunkedArray]:
    """Feature -> column, in the declared order."""
    kept = iter(name for name in table.column_names if name != "customer_id")
    missing = {item["place"]: item for item in left_out}
    columns: dict[str, pa.ChunkedArray] = {}
    for place in range(table.num_columns - 1 + len(left_out)):
        item = missing.get(place)
        if item is None:
            name = next(kept)
            columns[name] = table[name]
        elif "of" in item:
            columns[item["name"]] = table[item["of"]]
        else:
            value = pa.scalar(item["value"], pa.float64())
            columns[item["name"]] = pa.chunked_array([pa.repeat(value, table.num_rows)])
    return columns
