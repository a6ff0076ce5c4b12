"""Ours: trained by the public function on closed windows, then scored at the test cutoff."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gosales.models import train
from gosales.scoring import score

from .split import Split

__all__ = ["ours"]

Floats = npt.NDArray[np.float64]


def ours(split: Split) -> dict[str, Floats]:
    """Probabilities by division; a division that is not modelled is not there.

    The run's ``cutoff_date`` is the test cutoff. Models of an earlier split in the same
    workspace are not scored: only what this training made is.
    """
    report = train(split.run, list(split.divisions), cutoffs=split.days)
    modelled = [line.division for line in report.modelled]
    score(split.run, split.test, modelled)
    table = pq.read_table(split.run.workspace.output("icp_scores.parquet"))
    division = np.array(table["division_name"].to_pylist(), dtype=object)
    customer = np.array(table["customer_id"].to_pylist(), dtype=object)
    p = table["icp_score"].to_numpy()
    found = {}
    for name in modelled:
        rows = np.flatnonzero(division == name)
        known = dict(zip(customer[rows], p[rows], strict=True))
        found[name] = np.array([known[one] for one in split.customers[split.scored]])
    return found
