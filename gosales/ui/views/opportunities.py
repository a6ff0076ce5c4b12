"""The ranked list: filtered, cut at a capacity, with what that much work should bring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any
from urllib.parse import urlencode

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from gosales.ui.shelf import Shelf
from gosales.ui.views.pairs import list_id, pairs, sources

__all__ = ["CHOICES", "Ask", "Opportunities", "Outcome", "listed", "opportunities"]

PAGE = 50
CHOICES = ("division", "region", "rep", "industry", "grade")
SORTS = {
    "rank": [("rank", False)],
    "worth": [("expected_gp", True), ("rank", False)],
    "odds": [("odds", True), ("rank", False)],
    "customer": [("customer_name", False), ("rank", False)],
}
OWNED = ("no", "lapsed", "yes")


@dataclass(frozen=True)
class Ask:
    """What the reader wants to see; it is the page's address and nothing else keeps it.

    ``capacity``: per cent of the filtered rows, best first; None = the list as it was made.
    """

    search: str = ""
    division: str = ""
    region: str = ""
    rep: str = ""
    industry: str = ""
    grade: str = ""
    owned: str = "no"
    capacity: int | None = None
    sort: str = "rank"
    page: int = 1

    @classmethod
    def of(cls, params: Any) -> Ask:
        """From a page's query; what makes no sense is as if it were not there."""
        texts = {name: str(params.get(name, "")).strip() for name in ("search", *CHOICES)}
        owned = params.get("owned", "no")
        sort = params.get("sort", "rank")
        capacity = _whole(params.get("capacity", ""))
        return cls(
            **texts,
            owned=owned if owned in OWNED else "no",
            capacity=None if capacity is None else min(max(capacity, 1), 100),
            sort=sort if sort in SORTS else "rank",
            page=max(_whole(params.get("page", "")) or 1, 1),
        )

    def query(self, **changes: Any) -> str:
        """The query of this ask, changed; only what differs from the plain page."""
        plain = Ask()
        asked = replace(self, **changes)
        values = {name: getattr(asked, name) for name in plain.__dataclass_fields__}
        kept = {n: v for n, v in values.items() if v != getattr(plain, n) and v is not None}
        return urlencode(kept)


@dataclass(frozen=True)
class Outcome:
    """What working the first ``rows`` of the list should bring."""

    percent: int
    rows: int
    expected_gp: float
    expected_buyers: float


@dataclass(frozen=True)
class Opportunities:
    """A page of the list and what the filters leave.

    ``curve``: the outcome at 1 to 100 per cent of the filtered rows. ``made``: that of the list
    as it was made. ``list_id`` changes when the list is made again.
    """

    ask: Ask
    rows: list[dict[str, Any]]
    found: int
    chosen: Outcome
    customers: int
    made: Outcome
    curve: list[Outcome]
    choices: dict[str, list[str]]
    pages: int
    list_id: str


def opportunities(shelf: Shelf, ask: Ask) -> Opportunities:
    """Raises MissingArtifact, StaleArtifact or IntegrityError for the list or what it needs."""
    source = pairs(shelf, ask.owned)
    kept = _filtered(source, ask)
    owned = ask.owned == "yes"
    if kept is not source:
        curve, made = _curve(shelf, kept)
    else:
        # All owners of a large log are many more rows than any filter leaves.
        make = partial(_curve, shelf, kept)
        curve, made = shelf.kept(f"curve {owned}", sources(shelf, ask.owned), make)
    found = curve[-1].rows if curve else 0
    percent = _capacity(ask)
    chosen = made if percent is None else _at(curve, percent)
    table = _within(kept, chosen.rows, percent)
    pages = max(ceil(chosen.rows / PAGE), 1)
    ask = replace(ask, page=min(ask.page, pages))
    customers = shelf.rows(table.aggregate(n=table.customer_id.nunique()))[0]["n"]
    ordered = _sorted(table, ask).limit(PAGE, offset=(ask.page - 1) * PAGE)
    rows = shelf.rows(ordered) if chosen.rows else []
    choices = shelf.kept(
        f"choices {owned}", sources(shelf, ask.owned), partial(_choices, shelf, source)
    )
    return Opportunities(
        ask, rows, found, chosen, customers, made, curve, choices, pages, list_id(shelf, ask.owned)
    )


def listed(shelf: Shelf, ask: Ask, picks: list[int] | None = None) -> pa.Table:
    """All rows that the page's pages show, or of these sources the picked ranks; for a file."""
    source = pairs(shelf, ask.owned)
    if picks is not None:
        table = source.filter(source["rank"].isin(picks)) if picks else source.limit(0)
        return shelf.arrow(_sorted(table, Ask()))
    kept = _filtered(source, ask)
    percent = _capacity(ask)
    total = shelf.rows(kept.aggregate(n=kept.count()))[0]["n"]
    rows = total if percent is None else ceil(total * percent / 100)
    return shelf.arrow(_sorted(_within(kept, rows, percent), ask))


def _capacity(ask: Ask) -> int | None:
    """Owners are on no list: all of them, unless a share is asked for."""
    return 100 if ask.capacity is None and ask.owned == "yes" else ask.capacity


def _filtered(source: ir.Table, ask: Ask) -> ir.Table:
    """The source itself where nothing is filtered."""
    table = source
    for name in CHOICES:
        wanted = getattr(ask, name)
        if wanted:
            table = table.filter(table[name] == wanted)
    if ask.owned == "lapsed":
        table = table.filter(table.last_bought.notnull())
    if ask.search:
        words = ask.search.lower()
        named = ibis.coalesce(table.customer_name, "").lower().contains(words)
        table = table.filter(named | table.customer_id.lower().contains(words))
    return table


def _curve(shelf: Shelf, kept: ir.Table) -> tuple[list[Outcome], Outcome]:
    """The outcome at each per cent of the rows, and of those that are on the list."""
    placed = kept.select(
        "odds", "expected_gp", "selected",
        place=ibis.row_number().over(order_by="rank"), total=kept.count().over(),
    )  # fmt: skip
    # Row p is within k per cent when p < total * k / 100, so first at floor(100 p / total) + 1.
    percent = (placed.place * 100 // placed.total).cast("int64") + 1
    sums = {"rows": _.count(), "worth": _.expected_gp.sum(), "buyers": _.odds.sum()}
    parts = shelf.rows(placed.group_by(percent=percent, selected=placed.selected).agg(**sums))
    made = _total(0, [part for part in parts if part["selected"]])
    curve: list[Outcome] = []
    if parts:
        by_percent: dict[int, list[dict[str, Any]]] = {}
        for part in parts:
            by_percent.setdefault(part["percent"], []).append(part)
        before = Outcome(0, 0, 0.0, 0.0)
        for number in range(1, 101):
            more = _total(number, by_percent.get(number, []))
            before = Outcome(
                number,
                before.rows + more.rows,
                before.expected_gp + more.expected_gp,
                before.expected_buyers + more.expected_buyers,
            )
            curve.append(before)
    return curve, made


def _total(percent: int, parts: list[dict[str, Any]]) -> Outcome:
    return Outcome(
        percent,
        sum(part["rows"] for part in parts),
        float(sum(part["worth"] or 0 for part in parts)),
        float(sum(part["buyers"] or 0 for part in parts)),
    )


def _at(curve: list[Outcome], percent: int) -> Outcome:
    return curve[percent - 1] if curve else Outcome(percent, 0, 0.0, 0.0)


def _within(kept: ir.Table, rows: int, percent: int | None) -> ir.Table:
    if percent is None:
        return kept.filter(kept.selected == 1)
    if percent == 100:
        return kept
    return kept.order_by("rank").limit(rows)


def _sorted(table: ir.Table, ask: Ask) -> ir.Table:
    return table.order_by([ibis.desc(n) if falling else n for n, falling in SORTS[ask.sort]])


def _choices(shelf: Shelf, source: ir.Table) -> dict[str, list[str]]:
    """The values of each filter, in their order."""
    found = {}
    for name in CHOICES:
        column = source.select(name).filter(source[name].notnull()).distinct().order_by(name)
        found[name] = [row[name] for row in shelf.rows(column)]
    return found


def _whole(text: Any) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
