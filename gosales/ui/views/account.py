"""One customer: orders over time, what is owned and what is open, why, and what it rests on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
from ibis import _

from gosales.sensitive import is_sensitive
from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import MATRIX, SCORE, STAR, WHITESPACE
from gosales.ui.views.grounds import Ground, Measure, model_rests_on, reasons_rest_on
from gosales.ui.views.similar import similar_buyers

__all__ = ["Account", "DivisionLine", "account", "find_customers", "score_parts"]

HIDDEN = {"customer_id", "customer_name", "customer_name_key", "first_order_date",
          "last_order_date", "orders", "gross_profit", "enrichment_match",
          "enrichment_score"}  # fmt: skip
FOUND = 25
# The signals of the list's score, each in the column <name>_signal.
SIGNALS = {
    "probability": "odds",
    "expected_gp": "expected profit",
    "affinity": "what goes together",
    "similarity": "similar customers",
    "relative_worth": "size of purchase",
}


@dataclass(frozen=True)
class DivisionLine:
    """A division for this customer: what was bought, the odds of buying next, the list's place."""

    division: str
    owned: bool
    orders: int
    gross_profit: float
    last_bought: dt.date | None
    odds: float | None
    grade: str
    percentile: float | None
    expected_gp: float | None
    reasons: list[str]
    listing: dict[str, Any] | None


@dataclass(frozen=True)
class Account:
    """``timeline``: (first day of the quarter, division) -> gross profit, in order."""

    customer_id: str
    name: str
    attributes: dict[str, Any]
    facts: dict[str, Any]
    timeline: list[tuple[dt.date, str, float]]
    lines: list[DivisionLine]
    chosen: DivisionLine | None
    parts: list[tuple[str, float, float, float]]
    grounds: list[Ground]
    measures: list[Measure]
    similar: list[dict[str, Any]]

    @property
    def open_lines(self) -> list[DivisionLine]:
        return [line for line in self.lines if not line.owned]

    @property
    def owned_lines(self) -> list[DivisionLine]:
        return [line for line in self.lines if line.owned]


def account(shelf: Shelf, customer_id: str, division: str = "") -> Account | None:
    """None for a customer that the star does not know.

    Raises MissingArtifact, StaleArtifact or IntegrityError when star or scores are not usable.
    """
    place = shelf.workspace
    customers = shelf.table(place.dim("customer"), STAR)
    found = shelf.rows(customers.filter(customers.customer_id == customer_id).limit(1))
    if not found:
        return None
    row = found[0]
    scores = shelf.table(place.output("icp_scores.parquet"), SCORE)
    scored = shelf.rows(scores.filter(scores.customer_id == customer_id))
    bought, timeline = _orders(shelf, customer_id)
    lines = _lines(scored, bought, _listing(shelf, customer_id))
    known = {line.division: line for line in lines}
    chosen = known.get(division) or next(iter(lines), None)
    cutoff = str(scored[0]["cutoff"])[:10] if scored else ""
    grounds, measures, similar, parts = [], [], [], []
    if chosen is not None and cutoff:
        grounds = reasons_rest_on(shelf, customer_id, chosen.division)
        measures = model_rests_on(shelf, customer_id, chosen.division, cutoff)
        similar = similar_buyers(shelf, customer_id, chosen.division)
        parts = score_parts(chosen.listing, _weights(shelf, cutoff))
    return Account(
        customer_id,
        row.get("customer_name") or customer_id,
        _attributes(shelf, row) | _territory(shelf, customer_id),
        row,
        timeline,
        lines,
        chosen,
        parts,
        grounds,
        measures,
        similar,
    )


def find_customers(shelf: Shelf, words: str) -> list[dict[str, Any]]:
    """Customers whose id or name holds the words, the most profitable first."""
    table = shelf.table(shelf.workspace.dim("customer"), STAR)
    if words:
        text = words.lower()
        named = ibis.coalesce(table.customer_name, "").lower().contains(text)
        table = table.filter(named | table.customer_id.lower().contains(text))
    shown = table.select(
        "customer_id", "customer_name", "orders", "gross_profit", "last_order_date"
    )
    return shelf.rows(shown.order_by(ibis.desc("gross_profit"), "customer_id").limit(FOUND))


def score_parts(
    listing: dict[str, Any] | None, weights: dict[str, float]
) -> list[tuple[str, float, float, float]]:
    """(signal, its value 0 to 1, its weight, its part of the list's score), largest part first."""
    if not listing or not weights:
        return []
    whole = sum(weights.values())
    parts = []
    for name, words in SIGNALS.items():
        value, weight = listing.get(f"{name}_signal"), weights.get(name, 0.0) / whole
        if value is not None and weight > 0:
            parts.append((words, value, weight, value * weight))
    return sorted(parts, key=lambda part: -part[3])


def _attributes(shelf: Shelf, row: dict[str, Any]) -> dict[str, Any]:
    """What is known of the customer, without what is never told."""
    private = shelf.settings.scoring.sensitive_attributes
    return {
        name: value
        for name, value in row.items()
        if name not in HIDDEN and value not in (None, "") and not is_sensitive(name, private)
    }


def _orders(
    shelf: Shelf, customer_id: str
) -> tuple[dict[str, dict[str, Any]], list[tuple[dt.date, str, float]]]:
    facts = shelf.table(shelf.workspace.fact, STAR)
    mine = facts.filter(facts.customer_id == customer_id)
    order = ibis.coalesce("i" + mine.invoice_id, "d" + mine.order_date.cast("string"))
    by_quarter = shelf.rows(
        mine.mutate(order=order)
        .group_by(
            division="product_division", year=_.order_date.year(), quarter=_.order_date.quarter()
        )
        .agg(gp=_.gross_profit.sum(), last=_.order_date.max(), orders=_.order.nunique())
        .order_by("year", "quarter", "division")
    )
    bought: dict[str, dict[str, Any]] = {}
    timeline = []
    for row in by_quarter:
        known = bought.setdefault(row["division"], {"orders": 0, "gp": 0.0, "last": row["last"]})
        known["orders"] += row["orders"]
        known["gp"] += float(row["gp"])
        known["last"] = max(known["last"], row["last"])
        day = dt.date(row["year"], 3 * row["quarter"] - 2, 1)
        timeline.append((day, row["division"], float(row["gp"])))
    return bought, timeline


def _lines(
    scored: list[dict[str, Any]],
    bought: dict[str, dict[str, Any]],
    listing: dict[str, dict[str, Any]],
) -> list[DivisionLine]:
    """Open divisions first, then owned ones, each by expected gross profit."""
    by_division = {row["division_name"]: row for row in scored}
    lines = []
    for division in {**by_division, **bought}:
        row, own = by_division.get(division, {}), bought.get(division)
        owned = own is not None or bool(row.get("owned_before"))
        told = [row.get(f"reason_{n}") or "" for n in (1, 2, 3)]
        lines.append(
            DivisionLine(
                division,
                owned,
                own["orders"] if own else 0,
                own["gp"] if own else 0.0,
                own["last"] if own else None,
                row.get("icp_score"),
                row.get("icp_grade", ""),
                row.get("icp_percentile"),
                row.get("expected_gp"),
                [text for text in told if text],
                listing.get(division),
            )
        )
    return sorted(lines, key=lambda one: (one.owned, -(one.expected_gp or 0.0), one.division))


def _usable(shelf: Shelf, name: str, command: str) -> bool:
    return shelf.failure(shelf.workspace.output(name), command) is None


def _listing(shelf: Shelf, customer_id: str) -> dict[str, dict[str, Any]]:
    """The customer's rows of the whitespace list; held-back ones too, marked as such."""
    if not _usable(shelf, "whitespace.parquet", WHITESPACE):
        return {}
    table = shelf.table(shelf.workspace.output("whitespace.parquet"), WHITESPACE)
    rows = shelf.rows(table.filter(table.customer_id == customer_id))
    return {row["whitespace_division"]: row for row in rows}


def _weights(shelf: Shelf, cutoff: str) -> dict[str, float]:
    name = f"whitespace_metrics_{cutoff}.json"
    if not _usable(shelf, name, WHITESPACE):
        return {}
    told = shelf.json(shelf.workspace.output(name), WHITESPACE)["weights"]
    used = told.get("used", told)
    return {name: float(value) for name, value in used.items() if isinstance(value, int | float)}


def _territory(shelf: Shelf, customer_id: str) -> dict[str, Any]:
    """Region and rep as the newest orders name them."""
    if not _usable(shelf, "whitespace_matrix.parquet", MATRIX):
        return {}
    table = shelf.table(shelf.workspace.output("whitespace_matrix.parquet"), MATRIX)
    mine = table.filter(table.customer_id == customer_id)
    found = shelf.rows(mine.select("region", "rep").limit(1))
    return {n: v for row in found for n, v in row.items() if v}
