"""The star as it was on an earlier day: what any leakage check compares with."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

from ibis import _

from gosales.etl.dimensions import customer_base, date_dimension, product_dimension
from gosales.etl.star import open_star
from gosales.run import Run
from gosales.workspace import Workspace

__all__ = ["cut_star"]


def cut_star(run: Run, cutoff: dt.date, place: Workspace) -> Run:
    """Write to ``place`` the star without any line later than ``cutoff``; a run that works there.

    The dimensions are made again from the lines that are left, but for what the enrichment says
    of a customer, which has no date. ``cutoff`` must not be before the first order. The run that
    is returned keeps no manifest of its own.
    """
    star, engine = open_star(run), run.engine
    facts = star.transactions.filter(star.transactions.order_date <= cutoff)
    names = star.customers.select("customer_id", "customer_name").mutate(n=1)
    base = customer_base(facts, names)
    rest = star.customers.drop(*[name for name in base.columns if name != "customer_id"])
    customers = base.join(rest, "customer_id").select(*star.customers.columns)
    descriptions = star.products.select("product_sku", "description").mutate(n=1)
    about = engine.to_arrow(
        facts.aggregate(
            first_order=_.order_date.min(),
            last_order=_.order_date.max(),
            customers=_.customer_id.nunique(),
            transactions=_.count(),
            invoices=_.invoice_id.count(),
        )
    ).to_pylist()[0]
    divisions = engine.to_arrow(facts.select("product_division").distinct())
    about |= {
        "has_invoices": about.pop("invoices") > 0,
        "divisions": sorted(divisions["product_division"].to_pylist()),
    }
    inside = dataclasses.replace(run, workspace=place, artifacts={}, inputs={})
    with inside.commit("star") as change:
        order = ["customer_id", "order_date", "transaction_id"]
        change.table(engine, facts.order_by(order), place.fact)
        change.table(engine, customers.order_by("customer_id"), place.dim("customer"))
        pairs = facts.group_by("product_sku", "product_division").agg(
            lines=_.count(), first_sold=_.order_date.min(), last_sold=_.order_date.max()
        )
        products = product_dimension(pairs, descriptions)
        change.table(engine, products.order_by("product_sku"), place.dim("product"))
        days = date_dimension(engine, about["first_order"], about["last_order"])
        change.table(engine, days, place.dim("date"))
        old = json.loads(run.workspace.star_facts.read_bytes())
        change.json(old | about, place.star_facts)
    return inside
