"""How broad a customer buys, and how much of that is new."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import numpy as np
from ibis import _

from gosales.features.catalog import Feature, Floats
from gosales.features.known import Known
from gosales.features.rfm import within

__all__ = ["features", "of_first_skus", "of_pairs", "of_skus"]

Aggregates = dict[str, ir.Value]
MONTHS, LATELY = 12, 6


def of_pairs() -> Aggregates:
    """Over a customer's pairs: divisions of 12 months, ever, and first of 12 months."""
    return {
        "divisions_n": (_.tx_12m > 0).sum(),
        "divisions_ever": _.count(),
        "divisions_new": (_.tenure_months < MONTHS).sum(),
    }


def of_skus() -> Aggregates:
    """Over SKUs by the day of their last purchase: ``skus_n`` of 12 months, ``skus_ever``."""
    return {"skus_n": within(_.skus, MONTHS), "skus_ever": _.skus.sum()}


def of_first_skus() -> Aggregates:
    """Over SKUs by the day of their first purchase: ``skus_new``, tried in 6 months."""
    return {"skus_new": within(_.skus, LATELY)}


def features(slugs: Sequence[str]) -> list[Feature]:
    """``slugs`` are those of all divisions."""
    shares = [f"xdiv__{key}__gp_share__12m" for key in slugs]
    return [
        Feature(
            "diversity", "all", "divisions_n", "12m", "divisions",
            "divisions ordered from in the last 12 months", _.divisions_n,
        ),
        Feature(
            "diversity", "all", "divisions_n", "life", "divisions",
            "divisions ordered from ever", _.divisions_ever,
        ),
        Feature(
            "diversity", "all", "new_divisions_n", "12m", "divisions",
            "divisions ordered from for the first time in the last 12 months", _.divisions_new,
        ),
        Feature(
            "diversity", "all", "skus_n", "12m", "products",
            "different products ordered in the last 12 months", _.skus_n,
        ),
        Feature(
            "diversity", "all", "skus_n", "life", "products",
            "different products ordered ever", _.skus_ever,
        ),
        Feature(
            "diversity", "all", "new_skus_n", "6m", "products",
            "products ordered for the first time in the last 6 months", _.skus_new,
        ),
        Feature(
            "diversity", "all", "entropy", "12m", "nats",
            "how evenly gross profit spreads over the divisions in the last 12 months; "
            "0 for one division, ln(n) for n equal ones",
            derive=lambda known: _entropy(known, shares),
            null_when="no gross profit above zero in the last 12 months",
        ),
    ]  # fmt: skip


def _entropy(known: Known, shares: Sequence[str]) -> Floats:
    total: Floats = known["rfm__all__tx_n__12m"] * 0.0
    for name in shares:
        own = known[name]
        total = total - own * np.log(np.where(own > 0, own, 1.0))
    return total
