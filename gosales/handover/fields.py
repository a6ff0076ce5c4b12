"""The fields of a handed-out row, and what a CRM's column takes from them.

A mapping is ``their column: our field``; ``=text`` stands for that text in every row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.errors import ConfigError
from gosales.months import add_months

__all__ = ["FIELDS", "handed_rows", "mapped"]

# Field -> what it is.
FIELDS = {
    "rank": "place on the list",
    "customer_id": "the customer's key in the sales log",
    "customer_name": "the customer's name, else the key",
    "division": "what to sell",
    "opportunity_name": "division and customer in one text",
    "probability": "odds of a purchase within the window, 0 to 1",
    "probability_percent": "the same in percent, rounded",
    "expected_gp": "expected gross profit: odds times deal value",
    "deal_value": "gross profit of a purchase by customers like this one",
    "reason": "why, in a sentence",
    "score": "the whitespace score, 0 to 1",
    "region": "of the newest order",
    "rep": "of the newest order",
    "cutoff": "the day the list was made for",
    "close_date": "the last day of the label window",
}


def handed_rows(listed: pa.Table, cutoff: dt.date, window_months: int) -> pa.Table:
    """The fields of each row of a list (columns as in whitespace.parquet), in their order."""
    odds = listed.column("icp_score").to_numpy()
    worth = listed.column("expected_gp").to_numpy()
    deal = np.divide(worth, odds, out=np.zeros(len(odds)), where=odds > 0)
    name = pc.coalesce(listed.column("customer_name"), listed.column("customer_id"))
    division = listed.column("whitespace_division")
    count = listed.num_rows
    columns = {
        "rank": listed.column("rank"),
        "customer_id": listed.column("customer_id"),
        "customer_name": name,
        "division": division,
        "opportunity_name": pc.binary_join_element_wise(division, name, " for "),
        "probability": pa.array(np.round(odds, 4)),
        "probability_percent": pa.array(np.round(100 * odds).astype(np.int64)),
        "expected_gp": pa.array(np.round(worth, 2)),
        "deal_value": pa.array(np.round(deal, 2)),
        "reason": listed.column("reason"),
        "score": pa.array(np.round(listed.column("whitespace_score").to_numpy(), 6)),
        "region": listed.column("region"),
        "rep": listed.column("rep"),
        "cutoff": pa.array([cutoff] * count, pa.date32()),
        "close_date": pa.array([add_months(cutoff, window_months)] * count, pa.date32()),
    }
    return pa.table({field: columns[field] for field in FIELDS})


def mapped(rows: pa.Table, mapping: Mapping[str, str], key: str) -> pa.Table:
    """The CRM's columns; raises ConfigError that names a field which does not exist."""
    unknown = sorted({f for f in mapping.values() if not f.startswith("=") and f not in FIELDS})
    if unknown or not mapping:
        what = f"'{unknown[0]}' is no field of a handed-out row" if unknown else "it is empty"
        raise ConfigError(
            f"{key}: {what}.", f"Map columns to {', '.join(FIELDS)}, or to =text for a constant."
        )
    return pa.table(
        {
            column: pa.repeat(pa.scalar(field[1:]), rows.num_rows)
            if field.startswith("=")
            else rows.column(field)
            for column, field in mapping.items()
        }
    )
