"""Customers x divisions as a heat map: by region, rep or industry, and customer by customer."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import ibis
import pyarrow.compute as pc
from ibis import _

from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import MATRIX

__all__ = ["GROUPS", "MEASURES", "Cell", "HeatMap", "groupings", "groups", "members"]

GROUPS = ("region", "rep", "industry")
MEASURES = ("worth", "buyers", "reach")
PAGE = 50
LEVELS = 7


@dataclass(frozen=True)
class Cell:
    """``value`` of the measure, ``level`` 0 to 7 for its colour, ``state`` of a customer's cell."""

    value: float | None
    level: int
    state: str = ""


@dataclass(frozen=True)
class HeatMap:
    """Rows of cells beside ``divisions``; a row is (key, label, total, cells)."""

    divisions: list[str]
    rows: list[tuple[str, str, float, list[Cell]]]
    pages: int = 1
    page: int = 1
    count: int = 0


def groupings(shelf: Shelf) -> list[str]:
    """Which of ``GROUPS`` some customer has."""
    totals = shelf.csv(shelf.workspace.output("whitespace_totals.csv"), MATRIX)
    there = set(totals.column("by").to_pylist())
    return [name for name in GROUPS if name in there]


def groups(shelf: Shelf, by: str, measure: str) -> HeatMap:
    """A row a region, rep or industry, the largest open market first.

    ``worth``: expected gross profit still open; ``buyers``: expected new buyers; ``reach``: share
    of customers who bought lately.
    """
    totals = shelf.csv(shelf.workspace.output("whitespace_totals.csv"), MATRIX)
    rows = totals.filter(pc.equal(totals.column("by"), by)).to_pylist()
    divisions = sorted({row["division_name"] for row in rows})
    worth: dict[str, float] = {}
    values: dict[tuple[str, str], float] = {}
    for row in rows:
        worth[row["value"]] = worth.get(row["value"], 0.0) + float(row["open_expected_gp"])
        values[row["value"], row["division_name"]] = _measured(row, measure)
    most = max(values.values(), default=0.0)
    names = sorted(worth, key=lambda name: (-worth[name], name))
    return HeatMap(
        divisions,
        [
            (name, name, worth[name], [_cell(values.get((name, d)), most) for d in divisions])
            for name in names
        ],
        count=len(names),
    )


def members(shelf: Shelf, by: str, value: str, page: int = 1) -> HeatMap:
    """A row a customer of the group (of all, when ``by`` is empty), the largest market first."""
    table = shelf.table(shelf.workspace.output("whitespace_matrix.parquet"), MATRIX)
    mine = table.filter(table[by] == value) if by else table
    order = [ibis.desc("total"), "customer_id"]
    # Cents as whole numbers: their sum, and so the order, is the same at every asking.
    total = (_.expected_gp.fill_null(0.0) * 100).round().cast("int64").sum()
    ranked = mine.group_by("customer_id").agg(total=total, name=_.customer_name.max())
    count = shelf.rows(ranked.aggregate(n=ranked.count()))[0]["n"]
    pages = max(ceil(count / PAGE), 1)
    page = min(max(page, 1), pages)
    chosen = ranked.order_by(order).limit(PAGE, offset=(page - 1) * PAGE)
    cells = mine.inner_join(chosen, "customer_id").select(
        "customer_id", "name", "total", "division_name", "state", "expected_gp"
    )
    rows: dict[str, dict[str, Any]] = {}
    for row in shelf.rows(cells.order_by([*order, "division_name"])):
        key = row["customer_id"]
        label = row["name"] or key
        rows.setdefault(key, {"label": label, "total": row["total"] / 100, "cells": {}})
        rows[key]["cells"][row["division_name"]] = row
    divisions = sorted({d for row in rows.values() for d in row["cells"]})
    most = max(
        (c["expected_gp"] or 0.0 for row in rows.values() for c in row["cells"].values()),
        default=0.0,
    )
    drawn = [
        (key, row["label"], row["total"],
         [_cell(row["cells"][d]["expected_gp"], most, row["cells"][d]["state"]) if d in row["cells"]
          else Cell(None, 0) for d in divisions])
        for key, row in rows.items()
    ]  # fmt: skip
    return HeatMap(divisions, drawn, pages, page, count)


def _measured(row: dict[str, Any], measure: str) -> float:
    if measure == "reach":
        return row["active"] / row["customers"] if row["customers"] else 0.0
    return float(row["open_expected_gp" if measure == "worth" else "expected_buyers"])


def _cell(value: float | None, most: float, state: str = "") -> Cell:
    """The colour goes with the root of the value: a few large cells must not hide the others."""
    if value is None or value <= 0 or most <= 0:
        return Cell(value, 0, state)
    return Cell(value, max(1, ceil(LEVELS * (value / most) ** 0.5)), state)
