"""How a customer's business is spread over the divisions, and what it owns already.

A customer's share of gross profit in a division counts profits above zero only, so shares lie
between 0 and 1 and sum to 1. Its share of orders is the orders that the division is in; an
order over several divisions counts in each. The target's shares are also given smoothed
towards the population's (``shrinkage.py``), with the orders of 12 months as trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import ibis
import ibis.expr.types as ir
from ibis import _

from gosales.engine import MONEY
from gosales.features.catalog import Feature, Floats, Value, share
from gosales.features.known import Known
from gosales.features.rfm import within
from gosales.features.shrinkage import learn_prior, shrunk
from gosales.workspace import slug

__all__ = ["features", "of_days", "of_orders", "of_pairs"]

Aggregates = dict[str, ir.Value]
NO_PROFIT = "no gross profit above zero in the last 12 months"
NOTHING = ibis.literal(0, MONEY)
ORDERS = "rfm__all__tx_n__12m"


def of_days() -> Aggregates:
    """Over a pair's days: ``gp_12m`` (decimal), ``recency_days``, ``tenure_months``."""
    return {
        "gp_12m": within(_.gross_profit, 12).cast(MONEY),
        "recency_days": _.days_ago.min(),
        "tenure_months": _.months_ago.max(),
    }


def of_orders() -> Aggregates:
    """Over a pair's orders: ``tx_12m``."""
    return {"tx_12m": within(_.orders, 12)}


def of_pairs(divisions: Sequence[str]) -> Aggregates:
    """Over a customer's pairs: ``x_gp`` and, for each division's slug, ``x_<slug>_gp`` (profit
    above zero in 12 months), ``x_<slug>_tx`` and ``x_<slug>_days`` (recency, null if never).
    """
    above = ibis.greatest(_.gp_12m, NOTHING)
    found: Aggregates = {"x_gp": above.sum().cast(MONEY)}
    for name in divisions:
        key, own = slug(name), _.division == name
        found[f"x_{key}_gp"] = above.sum(where=own).fill_null(0).cast(MONEY)
        found[f"x_{key}_tx"] = _.tx_12m.sum(where=own).fill_null(0)
        found[f"x_{key}_days"] = _.recency_days.min(where=own)
    return found


def features(divisions: Mapping[str, str]) -> list[Feature]:
    """``divisions`` maps slug to name."""
    found = [feature for key, name in divisions.items() for feature in _of(key, name)]
    for measure, what in (("gp_share", "gross profit"), ("tx_share", "orders")):
        found.append(
            Feature(
                "xdiv", "div", measure, "12m", "share",
                f"share of {what} from this division in the last 12 months, smoothed towards "
                "all customers'",
                derive=partial(_smooth, measure),
            )
        )  # fmt: skip
    return found


def _of(key: str, name: str) -> list[Feature]:
    days: Value = _[f"x_{key}_days"]
    return [
        Feature(
            "xdiv", key, "gp_share", "12m", "share",
            f"share of gross profit from {name} in the last 12 months",
            share(_[f"x_{key}_gp"], _.x_gp),
            null_when=NO_PROFIT,
        ),
        Feature(
            "xdiv", key, "tx_share", "12m", "share",
            f"share of orders with something from {name} in the last 12 months",
            share(_[f"x_{key}_tx"], _.all_tx_12m),
            null_when="no order in the last 12 months",
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


def _smooth(measure: str, known: Known) -> Floats:
    """The target's share; a customer without one of its own gets the population's."""
    shares, orders = known[f"xdiv__{known.target}__{measure}__12m"], known[ORDERS]
    prior = learn_prior(shares, orders)
    known.learnt[f"xdiv__div__{measure}__12m"] = {
        "mean": prior.mean,
        "strength_orders": prior.strength,
    }
    return shrunk(shares, orders, prior)
