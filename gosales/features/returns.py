"""What comes back: return lines and their rate, in all divisions and in the target."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _

from gosales.features.catalog import Feature, share, span, window_label
from gosales.features.rfm import within

__all__ = ["features", "of_days"]

Aggregates = dict[str, ir.Value]


def of_days(windows: Sequence[int], prefix: str = "") -> Aggregates:
    """Over days: ``returns_<w>``, the lines that are returns."""
    return {f"{prefix}returns_{window_label(w)}": within(_.returns, w) for w in (*windows, None)}


def features(windows: Sequence[int]) -> list[Feature]:
    """A return is an order line with negative gross profit or quantity."""
    found = []
    for scope, prefix, where in (("all", "all_", ""), ("div", "", " in this division")):
        for w in (*windows, None):
            label, when = window_label(w), f"{where} {span(w)}"
            returns, lines = _[f"{prefix}returns_{label}"], _[f"{prefix}lines_{label}"]
            found += [
                Feature("returns", scope, "n", label, "lines", f"returned lines{when}", returns),
                Feature(
                    "returns", scope, "rate", label, "share", f"share of lines returned{when}",
                    share(returns, lines),
                    null_when=f"no order{when}",
                ),
            ]  # fmt: skip
    return found
