"""Every feature there is, from the families' declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gosales.errors import UsageError
from gosales.features import (
    affinity,
    als,
    cross_division,
    diversity,
    expected,
    lifecycle,
    returns,
    rfm,
    seasonality,
    trajectory,
)
from gosales.features.catalog import Feature, missing_flag

__all__ = ["describe", "features_of"]

WINDOWS = (3, 6, 12, 24)
LAG_DAYS = 60


def features_of(
    divisions: Mapping[str, str], windows: Sequence[int] = WINDOWS, lag_days: int = LAG_DAYS
) -> list[Feature]:
    """The features in the order of their columns: shared by all targets, then the target's own.

    ``divisions`` maps every division's slug to its name.
    """
    declared = [
        *rfm.features(windows),
        *lifecycle.features(),
        *expected.features(),
        *trajectory.features(lag_days),
        *seasonality.features(),
        *cross_division.features(divisions),
        *diversity.features(list(divisions)),
        *returns.features(windows),
        *affinity.features(),
        *als.features(),
    ]
    return sorted(declared, key=lambda feature: feature.is_own)


def describe(name: str, divisions: Mapping[str, str] | None = None) -> Feature:
    """The declaration behind a column's name, for any window, lag and division.

    ``divisions`` maps slugs to names for the description; without it a slug is read as words.

    >>> describe("rfm__div__tx_n__3m").description
    'orders in this division in the last 3 months'
    >>> describe("xdiv__success_plan__owned__life").description
    '1 if ever ordered in Success Plan'
    """
    stem = name.removesuffix("__missing")
    parts = stem.split("__")
    windows = set(WINDOWS)
    if months := re.fullmatch(r"([1-9]\d{0,2})m", parts[-1]):
        windows.add(int(months[1]))
    lagged = re.search(r"_lag(\d+)d__", stem)
    known = dict(divisions or {})
    if parts[0] == "xdiv" and len(parts) == 4 and parts[1] != "div":
        known.setdefault(parts[1], parts[1].replace("_", " ").title())
    for feature in features_of(known, sorted(windows), int(lagged[1]) if lagged else LAG_DAYS):
        if feature.name == stem:
            return feature if stem == name else missing_flag(feature)
    raise UsageError(
        f"There is no feature '{name}'.", "See feature_catalog_<division>_<cutoff>.csv."
    )
