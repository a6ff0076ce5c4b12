"""What is left of revenue: gross profit over revenue, where the log tells the two apart."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, share, span, window_label
from gosales.features.rfm import within

__all__ = ["features", "of_days"]

Aggregates = dict[str, ir.Value]
MEASURES = ("revenue", "margin")


def of_days(windows: Sequence[int], prefix: str = "") -> Aggregates:
    """Over days: ``revenue_<w>`` and ``margin_<w>``, the gross profit of lines with revenue."""
    return {
        f"{prefix}{measure}_{window_label(w)}": within(_[measure], w).cast(MONEY)
        for measure in MEASURES
        for w in (*windows, None)
    }


def features(windows: Sequence[int]) -> list[Feature]:
    """Between -1 and 1: returns can leave little revenue and much loss.

    A margin that is 1 wherever it is known says that the log has no revenue of its own.
    """
    found = []
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        for w in (*windows, None):
            label, when = window_label(w), f"{where} {span(w)}"
            profit, revenue = _[f"{prefix}margin_{label}"], _[f"{prefix}revenue_{label}"]
            rate = share(profit, (revenue > 0).ifelse(revenue, None))
            found.append(
                Feature(
                    "margin", scope, "rate", label, "share", f"gross profit per revenue{when}",
                    # Not by greatest and least, which pass nulls over.
                    (rate > 1.0).ifelse(1.0, (rate < -1.0).ifelse(-1.0, rate)),
                    null_when=f"no revenue above zero{when}",
                    dull=1.0,
                )
            )  # fmt: skip
    return found
