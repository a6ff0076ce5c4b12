"""How a feature declares itself; the declarations stand in the families' files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gosales.features.known import Known

__all__ = [
    "Feature",
    "as_float",
    "is_core",
    "missing_flag",
    "rises",
    "share",
    "span",
    "window_label",
]

# A deferred Ibis expression over the table that the families' aggregates are joined to.
Value = Any
Floats = npt.NDArray[np.float64]
# What the last step computes from the columns that an engine gave.
Derive = Callable[[Known], Floats]


@dataclass(frozen=True)
class Feature:
    """One column of a feature matrix.

    ``scope`` is ``all``, ``div`` (the target division), ``xdiv`` or a division's slug;
    ``window`` is ``3m``, ``12m``, ... or ``life``. ``description`` reads in a sentence
    ("orders in the last 3 months"). ``null_when`` says how a null arises; a feature without
    it is never null and is 0 for a customer that its aggregate does not know.

    The engine computes ``value``; a feature with ``derive`` is computed from ready columns
    instead. A feature is left out where all its known values are ``dull``.
    """

    family: str
    scope: str
    measure: str
    window: str
    unit: str
    description: str
    value: Value = field(default=None, repr=False, compare=False)
    null_when: str = ""
    derive: Derive | None = field(default=None, repr=False, compare=False)
    dull: float | None = None

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
    name = feature.name
    return Feature(
        family=feature.family,
        scope=feature.scope,
        measure=feature.measure,
        window=f"{feature.window}__missing",
        unit="flag",
        description=f"1 where not known: {feature.description}",
        derive=lambda known: np.isnan(known[name]).astype(np.float64),
    )


CORE = re.compile(
    r"rfm__(all|div)__(tx_n|gp_sum|gp_mean)__(\d+m|life)"
    r"|rfm__(all|div)__recency_days__life"
    r"|lifecycle__all__(tenure_days|active_months|gap_days_mean|gap_days_last)__life"
    r"|trajectory__all__(gp|tx)_(slope|std)__12m"
    r"|season__all__q[1-4]_share__24m"
    r"|xdiv__\w+__gp_share__12m"
    r"|diversity__all__(divisions|skus)_n__12m"
    r"|returns__(all|div)__(n|rate)__12m"
    r"|affinity__div__lift_(max|mean)__24m"
    r"|als__all__f\d+__24m"
)


# Estimates of how much the target division suits a customer, made from others' purchases: by
# their declaration the odds cannot fall where they rise.
RISING = re.compile(
    r"affinity__div__\w+__\d+m|als__div__similarity__\d+m|attr__div__\w+_active_rate__\d+m"
)


def rises(name: str) -> bool:
    """Whether a model may be held to odds that only rise with the feature.

    >>> rises("affinity__div__lift_max__24m"), rises("rfm__all__tx_n__12m")
    (True, False)
    """
    return RISING.fullmatch(name) is not None


def is_core(name: str) -> bool:
    """Whether a name is fixed by the contract: its column is there, however dull.

    >>> is_core("rfm__all__tx_n__3m"), is_core("rfm__all__lines_n__3m")
    (True, False)
    """
    return CORE.fullmatch(name) is not None


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
