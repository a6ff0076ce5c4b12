"""Customers like one: those who bought what it has not, and share most of what it has."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import MATRIX

__all__ = ["similar_buyers"]

SIMILAR = 6


def similar_buyers(shelf: Shelf, customer_id: str, division: str) -> list[dict[str, Any]]:
    """Owners of the division who share most divisions with the customer, then its industry."""
    path = shelf.workspace.output("whitespace_matrix.parquet")
    if shelf.failure(path, MATRIX) is not None:
        return []
    cells = shelf.table(path, MATRIX)
    owned = cells.filter(cells.state != "open")
    mine = owned.filter((_.customer_id == customer_id) & (_.division_name != division))
    shared = mine.select("division_name", mine_industry="industry")
    buyers = owned.filter((_.division_name == division) & (_.customer_id != customer_id))
    others = owned.inner_join(shared, "division_name").group_by("customer_id").agg(
        shared=_.count(), mine_industry=_.mine_industry.max(), divisions=_.division_name.collect()
    )  # fmt: skip
    joined = buyers.inner_join(others, "customer_id")
    return shelf.rows(
        joined.select(
            "customer_id",
            "customer_name",
            "industry",
            "region",
            "last_bought",
            "shared",
            "divisions",
            same_industry=(joined.industry == joined.mine_industry).fill_null(False),
        )
        .order_by(
            ibis.desc("shared"), ibis.desc("same_industry"), ibis.desc("last_bought"), "customer_id"
        )
        .limit(SIMILAR)
    )
