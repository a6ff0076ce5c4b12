"""The data contract: rules for rows, what breaks them, and the rows set aside.

A source row is curated or quarantined as a whole, never half of one. Each rule returns the
rows that break it; the first rule in the order below is the one a quarantined row carries.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from gosales.engine import Engine
from gosales.settings import EtlSettings

__all__ = ["RULES", "VIOLATION_COLUMNS", "RowRule", "find_violations", "first_rules", "misfit_rule"]

VIOLATION_COLUMNS = (
    "rule",
    "severity",
    "table",
    "column",
    "source_file",
    "source_row",
    "value",
    "message",
)


@dataclass(frozen=True)
class RowRule:
    """``broken(lines, settings, today)`` is the value of a cell that breaks the rule, or null."""

    name: str
    column: str
    message: str
    broken: Callable[[ir.Table, EtlSettings, dt.date], ir.StringValue]


def _outside(lines: ir.Table, settings: EtlSettings, _: dt.date) -> ir.StringValue:
    first, last = settings.date_bounds
    day = lines.order_date
    outside = (day < ibis.literal(first)) | (day > ibis.literal(last))
    return outside.ifelse(day.cast("string"), None)


def _future(lines: ir.Table, _: EtlSettings, today: dt.date) -> ir.StringValue:
    return (lines.order_date > ibis.literal(today)).ifelse(lines.order_date.cast("string"), None)


def _no_division(lines: ir.Table, _: EtlSettings, __: dt.date) -> ir.StringValue:
    missing = lines.product_division.isnull() & lines.product_sku.notnull()
    return missing.ifelse(lines.product_sku, None)


RULES = (
    RowRule(
        "null_customer", "customer_id", "the row has no customer", lambda t, *_: t.bad_customer
    ),
    RowRule("null_product", "product_sku", "the row has no product", lambda t, *_: t.bad_sku),
    RowRule(
        "null_date",
        "order_date",
        "the row has no order date",
        lambda t, *_: (t.bad_date.strip() == "").ifelse("", None),
    ),
    RowRule(
        "bad_date",
        "order_date",
        "this is no date that GoSales can read",
        lambda t, *_: (t.bad_date.strip() != "").ifelse(t.bad_date, None),
    ),
    RowRule("date_out_of_bounds", "order_date", "the date is outside etl.date_bounds", _outside),
    RowRule("future_date", "order_date", "the date is after today", _future),
    RowRule("bad_amount", "gross_profit", "this is no amount of money", lambda t, *_: t.bad_amount),
    RowRule("bad_quantity", "quantity", "this is no number", lambda t, *_: t.bad_quantity),
    RowRule("null_division", "product_division", "the product has no division", _no_division),
)


def _suspect(
    lines: ir.Table, rules: tuple[RowRule, ...], settings: EtlSettings, today: dt.date
) -> ir.BooleanValue:
    """Whether any rule is broken."""
    return functools.reduce(
        operator.or_, [rule.broken(lines, settings, today).notnull() for rule in rules]
    )


def find_violations(
    engine: Engine,
    lines: ir.Table,
    rules: tuple[RowRule, ...],
    settings: EtlSettings,
    today: dt.date,
) -> ir.Table:
    """Every (row, rule) that is broken: row_id, source_file, source_row, rule, order, value.

    A row whose lines break a rule several times is told once, with its least value.
    """
    # Nearly every line is fine: one pass finds the few that the rules have to look at.
    suspect = engine.cache(lines.filter(_suspect(lines, rules, settings, today)))
    parts = [
        suspect.select(
            "row_id",
            "source_file",
            "source_row",
            value=rule.broken(suspect, settings, today),
            rule=ibis.literal(rule.name),
            order=ibis.literal(place, type="int64"),
        )
        for place, rule in enumerate(rules)
    ]
    found = ibis.union(*parts).filter(ibis._.value.notnull())
    return found.group_by("row_id", "source_file", "source_row", "rule", "order").agg(
        value=found.value.min()
    )


def first_rules(violations: ir.Table) -> ir.Table:
    """One row a broken source row: its origin and the first rule that it breaks."""
    return violations.group_by("row_id", "source_file", "source_row").agg(
        rule=violations.rule.argmin(violations.order)
    )


def misfit_rule(cells: int, expected: int) -> str:
    """The message for a row whose number of cells is not the header's."""
    more = "more" if cells > expected else "fewer"
    return f"the row has {cells} cells, {more} than the {expected} of the header"
