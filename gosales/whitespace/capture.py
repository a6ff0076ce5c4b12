"""How much of what was bought after a cutoff the first rows of a list hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.labels import ensure_labels
from gosales.run import Run
from gosales.whitespace.capacity import share_count

__all__ = ["capture", "realised"]

Floats = npt.NDArray[np.float64]


def realised(run: Run, pairs: pa.Table, cutoff: dt.date) -> tuple[Floats, Floats]:
    """(label, net gross profit) of each pair in the label window after the cutoff.

    ``pairs`` has customer_id and division_name. The labels artifacts are the only source;
    they are built when missing.
    """
    divisions = sorted(set(pairs.column("division_name").to_pylist()))
    ensure_labels(run, divisions, [cutoff])
    paths = [run.workspace.labels(name, cutoff) for name in divisions]
    labels = run.engine.read_parquet(*paths)
    table = run.engine.to_arrow(
        labels.select("customer_id", "division", label="label", gp=labels.target_gp.cast("float64"))
    )
    place = pc.index_in(_keys(pairs, "division_name"), _keys(table, "division"))
    bought, profit = (
        table.column(name).take(place).fill_null(0).to_numpy().astype(np.float64)
        for name in ("label", "gp")
    )
    return bought, profit


def capture(
    label: Floats, profit: Floats, percents: Sequence[float], total: int | None = None
) -> list[dict[str, Any]]:
    """For each share of all pairs: buyers and gross profit among the first rows.

    ``label`` and ``profit`` stand in the order of the list; ``total`` is how many pairs there
    were (all of them, unless the list is shorter).
    """
    whole = len(label) if total is None else total
    found = []
    for percent in percents:
        rows = share_count(whole, percent)
        found.append(
            {
                "k_percent": float(percent),
                "rows": rows,
                "buyers": int(label[:rows].sum()),
                "gross_profit": round(float(np.add.reduce(profit[:rows])), 2),
                "share_of_buyers": _share(label, rows),
                "share_of_gross_profit": _share(np.maximum(profit, 0.0), rows),
            }
        )
    return found


def _share(values: Floats, rows: int) -> float | None:
    total = float(np.add.reduce(values))
    return round(float(np.add.reduce(values[:rows])) / total, 6) if total else None


def _keys(table: pa.Table, division: str) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table.column("customer_id"), table.column(division), "\x1f")
