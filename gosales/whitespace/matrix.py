"""Customers x divisions: what each customer has, had, or could still buy, and what that is worth.

``active``: bought within ``whitespace.active_months`` of the cutoff; ``lapsed``: bought before
that; ``open``: never bought, with odds and expected gross profit where the division is scored.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from gosales.artifacts import require
from gosales.etl.star import Star, open_star
from gosales.months import add_months
from gosales.run import Run
from gosales.whitespace.pairs import customer_facts, last_bought

__all__ = ["MatrixReport", "build_matrix"]

STATES = ("active", "lapsed", "open")
CUSTOMER = ("customer_id", "customer_name", "region", "rep", "industry")


@dataclass(frozen=True)
class MatrixReport:
    """The cells by state, and the market still open in expected gross profit, by division."""

    cutoff: dt.date
    customers: int
    cells: dict[str, int]
    open_market: dict[str, float]


def build_matrix(run: Run) -> MatrixReport:
    """Write ``whitespace_matrix.parquet`` (a row a cell), ``.csv`` (a row a customer) and
    ``whitespace_totals.csv``.

    Raises MissingArtifact without scores.
    """
    place = run.workspace
    path = require(place, place.output("icp_scores.parquet"), "gosales score")
    star, scores = open_star(run), run.engine.read_parquet(path)
    day = run.engine.scalar(scores.cutoff.max().cast("date"))
    with run.step("matrix") as step:
        cells = run.engine.cache(_cells(run, star, scores, day))
        totals = run.engine.to_arrow(_totals(cells))
        wide = run.engine.to_arrow(_wide(cells, star.about.divisions))
        with run.commit("matrix") as change:
            change.made_from(path, place.fact)
            ordered = cells.order_by("customer_id", "division_name")
            change.table(run.engine, ordered, place.output("whitespace_matrix.parquet"))
            change.csv(wide, place.output("whitespace_matrix.csv"))
            change.csv(totals, place.output("whitespace_totals.csv"))
        step.rows = wide.num_rows
    by_state = run.engine.to_arrow(cells.group_by("state").agg(n=_.count())).to_pylist()
    counts = {row["state"]: int(row["n"]) for row in by_state}
    return MatrixReport(
        day, wide.num_rows, {state: counts.get(state, 0) for state in STATES}, _by_division(totals)
    )


def _cells(run: Run, star: Star, scores: ir.Table, cutoff: dt.date) -> ir.Table:
    """(customer, division) for every customer with an order by the cutoff."""
    facts = customer_facts(run, star, cutoff)
    names = [ibis.literal(name).name("division_name").as_table() for name in star.about.divisions]
    divisions = ibis.union(*names) if len(names) > 1 else names[0]
    grid = facts.filter(facts.orders > 0).select(*CUSTOMER).cross_join(divisions)
    keys = ["customer_id", "division_name"]
    bought = last_bought(star, cutoff)
    odds = scores.select(*keys, "icp_score", "expected_gp")
    for table in (bought, odds):
        grid = grid.left_join(table, keys).drop(*[f"{key}_right" for key in keys])
    edge = add_months(cutoff, -run.settings.whitespace.active_months)
    state = ibis.cases(
        (grid.last_bought.isnull(), "open"), (grid.last_bought > edge, "active"), else_="lapsed"
    )
    grid = grid.mutate(state=state)
    free = grid.state == "open"
    return grid.select(
        *CUSTOMER,
        "division_name",
        "state",
        "last_bought",
        odds=free.ifelse(grid.icp_score, None),
        expected_gp=free.ifelse(grid.expected_gp, None),
    )


def _totals(cells: ir.Table) -> ir.Table:
    """``by`` (all, region, rep, industry), ``value``, ``division_name`` -> cells, market."""
    parts = []
    for by in ("all", "region", "rep", "industry"):
        value = ibis.literal("all") if by == "all" else cells[by]
        parts.append(
            cells.mutate(by=ibis.literal(by), value=value)
            .filter(_.value.notnull())
            .group_by("by", "value", "division_name")
            .agg(
                customers=_.count(),
                active=(_.state == "active").sum(),
                lapsed=(_.state == "lapsed").sum(),
                open=(_.state == "open").sum(),
                expected_buyers=_exact(_.odds, "decimal(18, 8)"),
                open_expected_gp=_exact(_.expected_gp, "decimal(18, 4)"),
            )
        )
    return ibis.union(*parts).order_by("by", "value", "division_name")


def _wide(cells: ir.Table, divisions: tuple[str, ...]) -> ir.Table:
    """A row a customer; of each division its state, odds and expected gross profit."""
    columns: dict[str, ir.Value] = {}
    for name in divisions:
        here = cells.division_name == name
        columns[f"{name} state"] = cells.state.max(where=here)
        columns[f"{name} odds"] = cells.odds.max(where=here).round(4)
        columns[f"{name} expected_gp"] = cells.expected_gp.max(where=here)
    whole = _exact(cells.expected_gp, "decimal(18, 4)")
    return (
        cells.group_by(*CUSTOMER)
        .agg(open_expected_gp=whole, **columns)
        .order_by(ibis.desc("open_expected_gp"), "customer_id")
    )


def _exact(column: Any, kind: str) -> Any:
    """A sum that does not depend on the order of the rows, as float64."""
    return column.cast(kind).sum().cast("float64").fill_null(0.0).round(2)


def _by_division(totals: pa.Table) -> dict[str, float]:
    return {
        row["division_name"]: row["open_expected_gp"]
        for row in totals.to_pylist()
        if row["by"] == "all"
    }
