"""The star as later stages see it: the one door to curated data."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gosales.artifacts import require
from gosales.errors import StaleArtifact, UsageError
from gosales.run import Run
from gosales.workspace import Workspace, slug

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["SCHEMA_VERSION", "Star", "StarFacts", "open_star", "read_star_facts"]

# Raised whenever the star's columns or their meaning change.
SCHEMA_VERSION = 1
MADE_BY = "gosales star"


@dataclass(frozen=True)
class StarFacts:
    """What a star is about, small enough to read without an engine (``curated/star.json``)."""

    schema_version: int
    layout: str
    divisions: tuple[str, ...]
    has_invoices: bool
    first_order: dt.date
    last_order: dt.date
    customers: int
    transactions: int

    def resolve_divisions(self, names: str | list[str]) -> list[str]:
        """Canonical names for ``all``, a comma list or a list; case and blanks do not matter.

        Raises UsageError that names the unknown division and the nearest known one, or for a text
        that names none.
        """
        known = {slug(name): name for name in self.divisions}
        words = _split(names, known) if isinstance(names, str) else names
        words = [word.strip() for word in words if word.strip()]
        if isinstance(names, str) and not words:
            raise UsageError("No division given.", "Give a name, a comma list, or all.")
        if [word.lower() for word in words] == ["all"]:
            return list(self.divisions)
        found = []
        for word in words:
            if slug(word) not in known:
                near = difflib.get_close_matches(slug(word), list(known), n=1, cutoff=0.5)
                hint = f"Did you mean '{known[near[0]]}'? " if near else ""
                raise UsageError(
                    f"Unknown division '{word}'.",
                    f"{hint}The star has: {', '.join(self.divisions)}.",
                )
            found.append(known[slug(word)])
        return list(dict.fromkeys(found))


def _split(names: str, known: Mapping[str, str]) -> list[str]:
    """The names of a comma list, in which a name may have commas of its own."""
    parts, words = names.split(","), []
    while parts:
        longest = 1
        for n in range(len(parts), 1, -1):
            name = known.get(slug(",".join(parts[:n]).strip()), "")
            if name.count(",") == n - 1:
                longest = n
                break
        words.append(",".join(parts[:longest]))
        parts = parts[longest:]
    return words


@dataclass(frozen=True)
class Star:
    """Tables of the curated star, as Ibis expressions of the run's engine.

    ``transactions``: one row an order line (``customer_id``, ``order_date``, ``invoice_id``,
    ``product_sku``, ``product_division``, ``quantity``, ``revenue``, ``gross_profit``,
    ``is_return``, ...; money is decimal(18, 4)). ``customers`` and ``products``: the dimensions.
    """

    transactions: ir.Table
    customers: ir.Table
    products: ir.Table
    about: StarFacts


def read_star_facts(workspace: Workspace) -> StarFacts:
    """Raises MissingArtifact without a star, StaleArtifact for one of another schema version."""
    path = require(workspace, workspace.star_facts, MADE_BY)
    content = json.loads(path.read_bytes())
    if content.get("schema_version") != SCHEMA_VERSION:
        raise StaleArtifact(
            f"The star has schema version {content.get('schema_version')}, this GoSales reads "
            f"version {SCHEMA_VERSION}.",
            f"Build it again with: {MADE_BY} --rebuild",
        )
    return StarFacts(
        schema_version=content["schema_version"],
        layout=content["layout"],
        divisions=tuple(content["divisions"]),
        has_invoices=content["has_invoices"],
        first_order=dt.date.fromisoformat(content["first_order"]),
        last_order=dt.date.fromisoformat(content["last_order"]),
        customers=content["customers"],
        transactions=content["transactions"],
    )


def open_star(run: Run) -> Star:
    """The workspace's star; raises MissingArtifact, StaleArtifact or IntegrityError."""
    workspace = run.workspace
    about = read_star_facts(workspace)
    paths = [workspace.fact, workspace.dim("customer"), workspace.dim("product")]
    transactions, customers, products = (
        run.engine.read_parquet(require(workspace, path, MADE_BY)) for path in paths
    )
    return Star(transactions, customers, products, about)
