"""The true probabilities of a simulated log: the best that anybody can do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .split import Split

__all__ = ["truth"]

Floats = npt.NDArray[np.float64]
# The simulator tells the chance to buy within six months.
WINDOW_MONTHS = 6


def truth(split: Split) -> dict[str, Floats]:
    """True probabilities by division; empty where none are known for this split."""
    path = split.run.workspace.data / "truth" / "truth.parquet"
    if not path.exists() or split.window_months != WINDOW_MONTHS:
        return {}
    table = pq.read_table(path)
    table = table.filter(pc.equal(table["cutoff"], split.test))
    names = np.array(table["division"].to_pylist(), dtype=object)
    found = {}
    for division in split.divisions:
        own = table.filter(names == division)
        known = dict(
            zip(own["customer_id"].to_pylist(), own["probability"].to_pylist(), strict=True)
        )
        if known:
            found[division] = np.array([known[one] for one in split.customers[split.scored]])
    return found
