"""Which pairs of customer and division may be on the list; each other one falls to one rule.

A pair is charged to the first rule that removes it, in the order of ``RULES``, so that
candidates = eligible + the removals of all rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.etl.star import Star
from gosales.months import add_months
from gosales.run import Run
from gosales.whitespace.ledger import resting
from gosales.whitespace.lists import read_names, read_pairs
from gosales.whitespace.pairs import customer_facts, last_bought

__all__ = ["RULES", "Eligible", "eligible_pairs", "judge_pairs"]

RULES = {
    "bought_before": "bought in the division",
    "min_orders": "fewer orders than whitespace.eligibility.min_orders",
    "do_not_contact": "on the do-not-contact list",
    "open_deals": "a deal is open",
    "allowed_regions": "outside the allowed regions",
    "recent_contacts": "contacted lately",
    "cooldown": "on an earlier list lately, without an order since",
}


@dataclass(frozen=True)
class Eligible:
    """The eligible pairs (no order), how many pairs were scored, and the removals of each rule."""

    pairs: pa.Table
    candidates: int
    removed: dict[str, int]


def eligible_pairs(
    run: Run, scores: ir.Table, star: Star, cutoff: dt.date, lists: bool = True
) -> Eligible:
    """The scored pairs that may be listed, with the customers' facts and ``last_bought``.

    ``lists``: whether the lists of today apply (they say nothing of an earlier cutoff).
    """
    judged = run.engine.cache(judge_pairs(run, scores, star, cutoff, lists))
    counts = run.engine.to_arrow(judged.group_by("removed_by").agg(n=judged.count())).to_pylist()
    by_rule = {row["removed_by"]: int(row["n"]) for row in counts}
    kept = run.engine.to_arrow(judged.filter(judged.removed_by.isnull()).drop("removed_by"))
    removed = {rule: by_rule.get(rule, 0) for rule in RULES}
    return Eligible(kept, sum(by_rule.values()), removed)


def judge_pairs(
    run: Run, scores: ir.Table, star: Star, cutoff: dt.date, lists: bool = True
) -> ir.Table:
    """The scored pairs with the customers' facts, ``last_bought`` and ``removed_by``.

    ``removed_by`` names the first rule that removes the pair; null for an eligible one.
    """
    pairs = (
        scores.drop("customer_name")
        .left_join(customer_facts(run, star, cutoff), "customer_id")
        .drop("customer_id_right")
    )
    pairs = _left(pairs, last_bought(star, cutoff), ["customer_id", "division_name"])
    removed = {
        "bought_before": _bought(pairs, cutoff, run.settings.whitespace.reopen_months),
        "min_orders": (pairs.orders.fill_null(0) < run.settings.whitespace.eligibility.min_orders),
    }
    table = pairs.mutate(**{f"x_{name}": rule.cast("int8") for name, rule in removed.items()})
    names = list(removed)
    if lists:
        table, more = _with_lists(run, run.engine.cache(table), star, cutoff)
        names += more
    return _first_rule(table, [rule for rule in RULES if rule in names])


def _bought(pairs: ir.Table, cutoff: dt.date, reopen_months: int) -> ir.BooleanValue:
    if not reopen_months:
        return pairs.last_bought.notnull()
    return (pairs.last_bought > add_months(cutoff, -reopen_months)).fill_null(False)


def _with_lists(
    run: Run, table: ir.Table, star: Star, cutoff: dt.date
) -> tuple[ir.Table, list[str]]:
    """The pairs with a 0/1 column ``x_<rule>`` for each list in force, and these rules."""
    rules = run.settings.whitespace.eligibility
    lists: dict[str, ir.Table] = {}
    plain = {"do_not_contact": rules.do_not_contact, "open_deals": rules.open_deals}
    for name, source in plain.items():
        if source:
            lists[name] = read_pairs(run, star, source, f"whitespace.eligibility.{name}")
    first = cutoff - dt.timedelta(days=rules.recent_contact_days)
    if rules.recent_contacts:
        contacts = read_pairs(
            run, star, rules.recent_contacts, "whitespace.eligibility.recent_contacts", dated=True
        )
        # A contact after the cutoff counts too: what matters is the day the list is used.
        lists["recent_contacts"] = contacts.filter(contacts.contact_date > first)
    rest = resting(run, star, cutoff)
    if rest is not None:
        lists["cooldown"] = rest
    for name, listed in lists.items():
        table = run.engine.cache(_on_list(table, listed, name))
    names = list(lists)
    regions = read_names(run, rules.allowed_regions, "whitespace.eligibility.allowed_regions")
    if regions:
        wanted = [region.casefold() for region in regions]
        inside = table.region.strip().lower().isin(wanted).fill_null(False)
        table = table.mutate(x_allowed_regions=(~inside).cast("int8"))
        names.append("allowed_regions")
    return table, names


def _on_list(table: ir.Table, listed: ir.Table, name: str) -> ir.Table:
    """``x_<name>``: 1 where the list names the pair, or the customer for every division."""
    whole = listed.filter(listed.division_name.isnull()).select("customer_id", hit=ibis.literal(1))
    exact = listed.filter(listed.division_name.notnull()).select(
        "customer_id", "division_name", hit_here=ibis.literal(1)
    )
    table = _left(table, whole.distinct(), ["customer_id"])
    table = _left(table, exact.distinct(), ["customer_id", "division_name"])
    hit = ibis.coalesce(table.hit, table.hit_here, 0).cast("int8")
    return table.mutate(**{f"x_{name}": hit}).drop("hit", "hit_here")


def _first_rule(table: ir.Table, rules: list[str]) -> ir.Table:
    cases = [(table[f"x_{rule}"] == 1, ibis.literal(rule)) for rule in rules]
    removed_by = ibis.cases(*cases, else_=ibis.null("string"))
    return table.mutate(removed_by=removed_by).drop(*[f"x_{rule}" for rule in rules])


def _left(left: ir.Table, right: ir.Table, keys: list[str]) -> ir.Table:
    """Left join on keys of the same name, which appear once."""
    return left.left_join(right, keys).drop(*[f"{key}_right" for key in keys])
