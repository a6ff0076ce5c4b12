"""Every feature there is, from the families' declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gosales.errors import UsageError
from gosales.features import (
    affinity,
    als,
    attributes,
    cross_division,
    diversity,
    expected,
    lifecycle,
    margin,
    returns,
    rfm,
    seasonality,
    trajectory,
)
from gosales.features.attributes import Attribute
from gosales.features.catalog import Feature, missing_flag

__all__ = ["describe", "features_of"]

WINDOWS = (3, 6, 12, 24)
LAG_DAYS = 60


def features_of(
    divisions: Mapping[str, str],
    windows: Sequence[int] = WINDOWS,
    lag_days: int = LAG_DAYS,
    known: Sequence[Attribute] = (),
    top_n: int = 5,
) -> list[Feature]:
    """The features in the order of their columns: shared by all targets, then the target's own.

    ``divisions`` maps every division's slug to its name; ``known`` are the attributes of
    customers, of whose values the ``top_n`` commonest get a flag.
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
        *margin.features(windows),
        *attributes.declare(known, top_n),
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
    unknown = UsageError(
        f"There is no feature '{name}'.", "See feature_catalog_<division>_<cutoff>.csv."
    )
    stem = name.removesuffix("__missing")
    parts = stem.split("__")
    if len(parts) != 4:
        raise unknown
    windows = set(WINDOWS)
    if months := re.fullmatch(r"([1-9]\d{0,2})m", parts[-1]):
        windows.add(int(months[1]))
    lagged = re.search(r"_lag(\d+)d__", stem)
    known = dict(divisions or {})
    if parts[0] == "xdiv" and parts[1] != "div":
        known.setdefault(parts[1], parts[1].replace("_", " ").title())
    lag_days = int(lagged[1]) if lagged else LAG_DAYS
    for feature in features_of(known, sorted(windows), lag_days, _attribute(parts)):
        if feature.name == stem:
            return feature if stem == name else missing_flag(feature)
    raise unknown


def _attribute(parts: Sequence[str]) -> list[Attribute]:
    """The attribute that a feature's name speaks of."""
    found = re.fullmatch(r"(.+?)_(is_(?P<text>.+)|active_rate|gp_share|value)", parts[-2])
    if parts[0] != "attr" or found is None:
        return []
    text = found["text"] or "known"
    if found[2] == "value":
        return [Attribute(found[1])]
    return [Attribute(found[1], (text.replace("_", " "),), (0,))]
