"""Signals that stand in the feature matrices: basket affinity and likeness to the owners.

A matrix without the column, or a division without a matrix, means a signal without coverage.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.artifacts import entry
from gosales.features import read_features
from gosales.run import Run

__all__ = ["COLUMNS", "feature_signals"]

# Column of the list -> measure of the feature: its name ends in its window.
COLUMNS = {
    "affinity_lift_max": "affinity__div__lift_max__",
    "affinity_lift_mean": "affinity__div__lift_mean__",
    "als_similarity": "als__div__similarity__",
}
Floats = npt.NDArray[np.float64]


def feature_signals(
    run: Run,
    divisions: Sequence[str],
    cutoff: dt.date,
    customer: pa.Array,
    division: npt.NDArray[np.int64],
) -> dict[str, Floats]:
    """Values for each pair (``customer``, number of its division), NaN where unknown."""
    found = {name: np.full(len(customer), np.nan) for name in COLUMNS}
    for number, name in enumerate(divisions):
        rows = np.flatnonzero(division == number)
        table = _matrix(run, name, cutoff)
        if table is None or not len(rows):
            continue
        place = pc.index_in(customer.take(pa.array(rows)), table.column("customer_id"))
        for column in table.column_names[1:]:
            values = table.column(column).take(place).to_numpy()
            found[column][rows] = values.astype(np.float64)
    return found


def _matrix(run: Run, division: str, cutoff: dt.date) -> pa.Table | None:
    """customer_id and the signals' columns, under the list's names."""
    path = run.workspace.features(division, cutoff)
    if entry(run.workspace, path) is None:
        return None
    features = read_features(run, division, cutoff)
    names = features.column_names
    columns = {}
    for ours, start in COLUMNS.items():
        # Of several windows the longest: its name is last among equals of one length.
        matching = sorted((n for n in names if n.startswith(start)), key=lambda n: (len(n), n))
        matching = [n for n in matching if not n.endswith("__missing")]
        if matching:
            columns[ours] = matching[-1]
    if not columns:
        return None
    table = features.select(["customer_id", *columns.values()])
    return table.rename_columns(["customer_id", *columns]).combine_chunks()
