"""The label of every customer again, slow and obvious."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from gosales.months import add_months

Line = dict[str, Any]


def labels(
    lines: list[Line],
    division: str,
    cutoff: dt.date,
    months: int = 6,
    mode: str = "expansion",
    threshold: Decimal = Decimal(0),
    denylist: frozenset[str] = frozenset(),
) -> dict[str, dict[str, Any]]:
    end = add_months(cutoff, months)
    last = max(line["order_date"] for line in lines)
    found = {}
    for customer in sorted({line["customer_id"] for line in lines}):
        own = [line for line in lines if line["customer_id"] == customer]
        before = [line for line in own if line["order_date"] <= cutoff]
        if mode == "expansion" and not before:
            continue
        gp = sum(
            (
                line["gross_profit"]
                for line in own
                if cutoff < line["order_date"] <= end
                and line["product_division"] == division
                and line["product_sku"] not in denylist
            ),
            Decimal(0),
        )
        owned = any(line["product_division"] == division for line in before)
        found[customer] = {
            "division": division,
            "cutoff": cutoff,
            "window_start": cutoff + dt.timedelta(days=1),
            "window_end": end,
            "label": int(gp > threshold),
            "target_gp": gp,
            "is_new_logo": int(not before),
            "is_expansion": int(bool(before) and not owned),
            "is_renewal_like": int(owned),
            "censored_flag": int(last < end),
        }
    return found
