"""How a feature declares itself; the declarations stand in the families' files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ibis

__all__ = ["Feature", "as_float", "missing_flag", "share", "span", "window_label"]

# A deferred Ibis expression over the table that the family's aggregates are joined to.
Value = Any


@dataclass(frozen=True)
class Feature:
    """One column of a feature matrix.

    ``scope`` is ``all``, ``div`` (the target division), ``xdiv`` or a division's slug;
    ``window`` is ``3m``, ``12m``, ... or ``life``. ``description`` reads in a sentence
    ("orders in the last 3 months"). ``null_when`` says how a null arises; a feature without
    it is never null and is 0 for a customer that its aggregate does not know.
    """

    family: str
    scope: str
    measure: str
    window: str
    unit: str
    description: str
    value: Value = field(repr=False, compare=False)
    null_when: str = ""

    @property
    def name(self) -> str:
        """``<family>__<scope>__<measure>__<window>``."""
        return f"{self.family}__{self.scope}__{self.measure}__{self.window}"

    @property
    def is_money(self) -> bool:
        """Whether the feature is winsorised."""
        return self.unit.startswith("currency")

    @property
    def is_own(self) -> bool:
        """Whether the feature is about the target division, and so in its block only."""
        return self.scope == "div"

    @property
    def expression(self) -> Value:
        """The value as float64, with its promise about nulls kept."""
        number = as_float(self.value)
        return number if self.null_when else number.fill_null(0.0)


def missing_flag(feature: Feature) -> Feature:
    """The ``<name>__missing`` column of a feature that may be null."""
    return Feature(
        family=feature.family,
        scope=feature.scope,
        measure=feature.measure,
        window=f"{feature.window}__missing",
        unit="flag",
        description=f"1 where not known: {feature.description}",
        value=ibis._[feature.name].isnull().cast("int8"),
    )


def window_label(months: int | None) -> str:
    """``3m``; None is the whole history, ``life``."""
    return "life" if months is None else f"{months}m"


def span(months: int | None) -> str:
    """A window in words."""
    if months is None:
        return "ever"
    return "in the last month" if months == 1 else f"in the last {months} months"


def as_float(value: Value) -> Value:
    return value.cast("float64")


def share(part: Value, whole: Value) -> Value:
    """``part / whole`` as float64; null where the whole is 0 or null."""
    return as_float(part) / as_float(whole).nullif(0.0)
