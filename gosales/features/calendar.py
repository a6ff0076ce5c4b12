"""Days as each cutoff sees them: how long ago, in which month before it, with what weight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.months import feature_start

__all__ = ["HALF_LIVES", "MICRO", "calendar"]

# Days after which an order weighs half.
HALF_LIVES = (30, 90, 180)
# Weights have six decimals: sums of products with money are then exact on every engine.
WEIGHT = pa.decimal128(7, 6)
MICRO = 1_000_000
Days = npt.NDArray[np.int64]


def calendar(cutoffs: Sequence[dt.date], first: dt.date, last: dt.date, lag_days: int) -> pa.Table:
    """One row per cutoff and day from ``first`` to the cutoff (at most ``last``).

    Columns: ``cutoff``, ``order_date``, ``days_ago``, ``months_ago`` (0 in the month that ends
    on the cutoff), ``months_before_lag`` (0 in the month that ends ``lag_days`` before the
    cutoff, null after that day), ``quarter``, the weights ``decay_<half-life>`` and the same in
    millionths, ``micro_<half-life>``: whole numbers multiply faster where they are enough.
    """
    return pa.concat_tables(_seen_from(cutoff, first, last, lag_days) for cutoff in cutoffs)


def _seen_from(cutoff: dt.date, first: dt.date, last: dt.date, lag_days: int) -> pa.Table:
    days = np.arange(first.toordinal(), min(cutoff, last).toordinal() + 1)
    dates = pa.array((days - dt.date(1970, 1, 1).toordinal()).astype(np.int32)).cast(pa.date32())
    ago = cutoff.toordinal() - days
    lagged = cutoff - dt.timedelta(days=lag_days)
    before = _months_before(lagged, days)
    columns = {
        "cutoff": pa.array([cutoff] * len(days), pa.date32()),
        "order_date": dates,
        "days_ago": pa.array(ago.astype(np.int32)),
        "months_ago": pa.array(_months_before(cutoff, days).astype(np.int32)),
        "months_before_lag": pa.array(before.astype(np.int32), mask=days > lagged.toordinal()),
        "quarter": pc.quarter(dates).cast(pa.int32()),
    }
    for half_life in HALF_LIVES:
        weights = _weights(half_life)
        seen = weights.take(pa.array(np.minimum(ago, len(weights) - 1)))
        columns[f"decay_{half_life}"] = seen
        columns[f"micro_{half_life}"] = pc.multiply(seen, MICRO).cast(pa.int32())
    return pa.table(columns)


@cache
def _weights(half_life: int) -> pa.Array:
    """The weight of each number of days ago, until it is 0 for good."""
    found, days = [Decimal(1)], 1
    while found[-1]:
        found.append(Decimal(f"{0.5 ** (days / half_life):.6f}"))
        days += 1
    return pa.array(found, WEIGHT)


def _months_before(end: dt.date, days: Days) -> Days:
    """How many whole months before the month that ends on ``end`` each day lies."""
    starts = [feature_start(end, 1)]
    while starts[-1].toordinal() > days[0]:
        starts.append(feature_start(end, len(starts) + 1))
    opened = np.array([day.toordinal() for day in reversed(starts)])
    return len(opened) - np.searchsorted(opened, days, side="right")
