"""The rows behind the opportunities page: (customer, division) with odds, worth and reasons.

Never-owners come from the whitespace list in its order (customers held back as a control group
are left out); owners come from the scores, by expected gross profit.
"""

from __future__ import annotations

from pathlib import Path

import ibis
import ibis.expr.types as ir

from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import SCORE, STAR, WHITESPACE

__all__ = ["COLUMNS", "list_id", "pairs", "sources"]

COLUMNS = (
    "rank", "customer_id", "customer_name", "division", "odds", "grade", "expected_gp", "score",
    "reason", "region", "rep", "industry", "last_bought", "selected",
)  # fmt: skip


def sources(shelf: Shelf, owned: str) -> list[Path]:
    """The artifacts behind the rows; the first gives their order."""
    place = shelf.workspace
    scores, dims = place.output("icp_scores.parquet"), place.dim("customer")
    return [scores, dims] if owned == "yes" else [place.output("whitespace.parquet"), scores, dims]


def list_id(shelf: Shelf, owned: str) -> str:
    """Changes when the rows are made again: ranks then mean other pairs."""
    return shelf.sha256(sources(shelf, owned)[0])[:16]


def pairs(shelf: Shelf, owned: str) -> ir.Table:
    """``COLUMNS``, one row a pair, best first. Worked out once for each making of the sources.

    Raises MissingArtifact, StaleArtifact or IntegrityError.
    """
    place = shelf.workspace
    scores = shelf.table(place.output("icp_scores.parquet"), SCORE)
    customers = shelf.table(place.dim("customer"), STAR)
    paths = sources(shelf, owned)
    if owned == "yes":
        return shelf.cached("owners", paths, lambda: _owners(scores, customers))
    whitespace = shelf.table(place.output("whitespace.parquet"), WHITESPACE)
    return shelf.cached("whitespace", paths, lambda: _whitespace(whitespace, scores, customers))


def _whitespace(whitespace: ir.Table, scores: ir.Table, customers: ir.Table) -> ir.Table:
    free = whitespace
    if "control" in free.columns:
        free = free.filter(free.control == 0)
    free = free.select(
        "rank",
        "customer_id",
        "customer_name",
        "expected_gp",
        "reason",
        division="whitespace_division",
        odds="icp_score",
        score="whitespace_score",
        region=_text(free, "region"),
        rep=_text(free, "rep"),
        last_bought=free.last_bought.cast("date") if "last_bought" in free.columns
        else ibis.null("date"),
        selected=free.selected if "selected" in free.columns else ibis.literal(1),
    )  # fmt: skip
    grades = scores.select("customer_id", division="division_name", grade="icp_grade")
    joined = free.left_join(grades, ["customer_id", "division"])
    return _described(joined.drop("customer_id_right", "division_right"), customers)


def _owners(scores: ir.Table, customers: ir.Table) -> ir.Table:
    owned = scores.filter(scores.owned_before == 1)
    order = [ibis.desc("expected_gp"), "division_name", "customer_id"]
    told = [owned[f"reason_{n}"] for n in (1, 2, 3)]
    parts = [ibis.ifelse((text != "") & text.notnull(), ". " + text, "") for text in told]
    owners = owned.select(
        "customer_id",
        "customer_name",
        "expected_gp",
        rank=ibis.row_number().over(order_by=order) + 1,
        reason=(parts[0] + parts[1] + parts[2]).substr(2),
        division="division_name",
        odds="icp_score",
        score=ibis.null("float64"),
        region=ibis.null("string"),
        rep=ibis.null("string"),
        last_bought=ibis.null("date"),
        selected=ibis.literal(0),
        grade="icp_grade",
    )
    return _described(owners, customers)


def _described(pairs: ir.Table, customers: ir.Table) -> ir.Table:
    """With industry, and region and rep where the list itself does not know them."""
    names = {f"dim_{name}": _text(customers, name) for name in ("region", "rep", "industry")}
    known = customers.select("customer_id", **names)
    joined = pairs.left_join(known, "customer_id")
    whole = joined.mutate(
        industry=joined.dim_industry,
        region=ibis.coalesce(joined.region, joined.dim_region),
        rep=ibis.coalesce(joined.rep, joined.dim_rep),
    )
    return whole.select(*COLUMNS).order_by("rank")


def _text(table: ir.Table, name: str) -> ir.StringValue:
    return table[name].cast("string") if name in table.columns else ibis.null("string")
