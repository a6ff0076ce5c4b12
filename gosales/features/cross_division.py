"""How a customer's business is spread over the divisions, and what it owns already.

A customer's share of gross profit in a division counts profits above zero only, so shares lie
between 0 and 1 and sum to 1. The target's share is also given smoothed towards the
population's: a customer with one order tells little, one with fifty a lot. The strength of the
prior is estimated by the method of moments for proportions with extraneous variance, with a
customer's orders of 12 months as its trials (J. C. Kleinman, "Proportions with extraneous
variance: single and independent samples", JASA 68, 1973, pp. 46-54).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY, Engine
from gosales.features.catalog import Feature, Value, as_float, share
from gosales.workspace import slug

__all__ = ["Prior", "customers", "features", "learn_priors", "own_features"]

NO_PROFIT = "no gross profit above zero in the last 12 months"
# Shares enter the estimate in whole millionths: sums of integers are the same on every engine.
MICRO = 1_000_000
WHOLE = "decimal(38, 0)"
NOTHING = ibis.literal(0, MONEY)
# Least and greatest overdispersion; they bound the prior's strength to 0.01 .. 9999 orders.
RHO = (Fraction(1, 10_000), Fraction(99, 100))


@dataclass(frozen=True)
class Prior:
    """The population's share of a division at a cutoff, and how many orders it weighs."""

    mean: float
    strength: float


def customers(pair: ir.Table, divisions: Sequence[str]) -> ir.Table:
    """Per (cutoff, customer): ``x_gp`` and, for each division's slug, ``x_<slug>_gp`` (profit
    above zero in 12 months) and ``x_<slug>_days`` (recency, null if never).
    """
    columns: dict[str, ir.Value] = {"x_gp": _.above.sum().cast(MONEY)}
    for name in divisions:
        own = _.division == name
        columns[f"x_{slug(name)}_gp"] = _.above.sum(where=own).fill_null(0).cast(MONEY)
        columns[f"x_{slug(name)}_days"] = _.recency_days.min(where=own)
    return pair.mutate(above=above_zero(_.gp_12m)).group_by("cutoff", "customer_id").agg(**columns)


def features(divisions: Mapping[str, str]) -> list[Feature]:
    """``divisions`` maps slug to name."""
    found = []
    for key, name in divisions.items():
        days = _[f"x_{key}_days"]
        found += [
            Feature(
                "xdiv", key, "gp_share", "12m", "share",
                f"share of gross profit from {name} in the last 12 months",
                share(_[f"x_{key}_gp"], _.x_gp),
                null_when=NO_PROFIT,
            ),
            Feature(
                "xdiv", key, "recency_days", "life", "days",
                f"days since the last order in {name}", days,
                null_when=f"no order in {name} ever",
            ),
            Feature(
                "xdiv", key, "owned", "life", "flag",
                f"1 if ever ordered in {name}", days.notnull().cast("int8"),
            ),
        ]  # fmt: skip
    return found


def own_features() -> list[Feature]:
    """The target's share, pulled towards the population's.

    Over a row of the own block: the pair's ``gp_12m`` (null for a stranger to the division),
    the customer's ``x_gp`` and ``all_tx_12m``, and the prior. A customer without a share of
    its own gets the population's.
    """
    own = share(above_zero(_.gp_12m.fill_null(NOTHING)), _.x_gp)
    orders = ibis.ifelse(own.isnull(), 0.0, as_float(_.all_tx_12m))
    value = (orders * own.fill_null(0.0) + _.prior_strength * _.prior_mean) / (
        orders + _.prior_strength
    )
    return [
        Feature(
            "xdiv", "div", "gp_share", "12m", "share",
            "share of gross profit from this division in the last 12 months, "
            "smoothed towards all customers'",
            value,
        )
    ]  # fmt: skip


def above_zero(money: Value) -> Value:
    return ibis.greatest(money, NOTHING)


def learn_priors(
    engine: Engine, shared: ir.Table, cutoffs: Sequence[dt.date], divisions: Sequence[str]
) -> dict[tuple[str, dt.date], Prior]:
    """The prior of each (division, cutoff), from the shared blocks of all cutoffs at once.

    Learnt from the customers that have a share; sums are exact, so the result is the same to
    the bit on every engine.
    """
    known = shared.filter(shared.x_gp > 0)
    known = known.mutate(trials=known.all_tx_12m.cast(WHOLE))
    sums: dict[str, ir.Value] = {
        "customers": _.count(),
        "n": _.trials.sum(),
        "n2": (_.trials * _.trials).cast(WHOLE).sum(),
    }
    for n, name in enumerate(divisions):
        own = _[f"xdiv__{slug(name)}__gp_share__12m"]
        micro = (own * float(MICRO)).floor().cast("int64").cast(WHOLE)
        weighted = (_.trials * micro).cast(WHOLE)
        sums[f"s_{n}"] = weighted.sum()
        sums[f"q_{n}"] = (weighted * micro).cast(WHOLE).sum()
    rows = engine.to_arrow(known.group_by("cutoff").agg(**sums)).to_pylist()
    by_cutoff = {row["cutoff"]: row for row in rows}
    return {
        (name, cutoff): _estimate(by_cutoff.get(cutoff), n)
        for cutoff in cutoffs
        for n, name in enumerate(divisions)
    }


def _estimate(row: Mapping[str, object] | None, number: int) -> Prior:
    """Kleinman's moment estimate, with the trials as weights, in exact arithmetic."""
    if row is None:
        return Prior(0.0, 1.0)
    customers, n, n2, s, q = (
        Fraction(str(row[name])) for name in ("customers", "n", "n2", f"s_{number}", f"q_{number}")
    )
    mean = s / n / MICRO
    between = q / (MICRO * MICRO) - mean * mean * n
    chance = mean * (1 - mean)
    extra = n - n2 / n - (customers - 1)
    if chance <= 0 or extra <= 0:
        rho = RHO[1]
    else:
        rho = (between - chance * (customers - 1)) / (chance * extra)
    rho = min(max(rho, RHO[0]), RHO[1])
    return Prior(float(mean), float((1 - rho) / rho))
