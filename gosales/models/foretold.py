"""How earlier forecasts were met: what was foretold for rows that their model never saw.

A cell is a cohort of a division at a judged cutoff: how many buyers and how much gross profit
were expected, how much came, and the sums that say how far chance alone sets the two apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gosales.models.figures import COHORTS, Judged, cohort_mask
from gosales.models.frame import Bools, Frame, Ints

__all__ = ["CELLS", "foretold"]

SUMS = ("expected_buyers", "buyers", "expected_gp", "gross_profit")
# Of chance: the variance of the number of buyers, and sums of squares of what they are worth.
SQUARES = ("buyers_variance", "expected_gp_squares", "gross_profit_squares")
CELLS = pa.schema(
    [
        ("division_name", pa.string()),
        ("cohort", pa.string()),
        ("cutoff", pa.string()),
        ("in_time", pa.bool_()),
        ("customers", pa.int64()),
        *((name, pa.float64()) for name in (*SUMS, *SQUARES)),
    ]
)


def foretold(frame: Frame, judged: Judged, in_time: bool) -> list[dict[str, Any]]:
    """Cells by cutoff and cohort, as JSON values with the names of CELLS.

    ``in_time``: whether the judging models knew only what had happened by then.
    """
    at = frame.cutoff[judged.rows]
    masks = {cohort: cohort_mask(frame, judged, cohort) for cohort in COHORTS}
    return [
        _cell(frame, judged, np.flatnonzero(mask & (at == place)))
        | {"cohort": cohort, "cutoff": str(frame.cutoffs[place]), "in_time": in_time}
        for place in np.unique(at)
        for cohort, mask in masks.items()
        if (mask & (at == place)).any()
    ]


def _cell(frame: Frame, judged: Judged, places: Ints) -> dict[str, Any]:
    rows, p, worth = judged.rows[places], judged.p[places], judged.worth[places]
    bought: Bools = frame.label[rows] > 0
    came = np.where(bought, frame.gp[rows], 0.0)
    return {
        "division_name": frame.division,
        "customers": len(rows),
        "expected_buyers": float(p.sum()),
        "buyers": float(bought.sum()),
        "expected_gp": float((p * worth).sum()),
        "gross_profit": float(came.sum()),
        "buyers_variance": float((p * (1 - p)).sum()),
        "expected_gp_squares": float((p * worth**2).sum()),
        "gross_profit_squares": float((came**2).sum()),
    }
