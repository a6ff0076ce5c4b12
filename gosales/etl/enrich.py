"""Customers joined with reference data: by id, then by normalised name, then by fuzzy name.

Nothing depends on the order of reference rows. Rows of one id are one company: what they
agree on, or only one says, counts; a cell on which they disagree stays blank. A name that
stands for rows which disagree is ambiguous and matches nobody. A customer whom the log does not
name gets the name that the reference has for its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gosales.etl.fuzzy import FuzzyRules, nearest_names
from gosales.etl.names import name_key
from gosales.etl.normalize import clean_id
from gosales.etl.reference import find_files, read_reference
from gosales.run import Run

__all__ = ["enrich"]

LINKS = pa.schema(
    {
        "link__name": pa.string(),
        "link__reference": pa.string(),
        "enrichment_match": pa.string(),
        "enrichment_score": pa.float64(),
    }
)


def enrich(run: Run, customers: ir.Table, sources: list[Path]) -> ir.Table:
    """The customers with the attributes of the reference files.

    ``customers`` has one row a customer: customer_id, customer_name, customer_name_key.
    The result has the same rows and columns, with the reference's names where there was none, then
    one column an attribute (text, or numbers where the whole column is numeric),
    ``enrichment_match`` (id, name, fuzzy, none) and ``enrichment_score`` (0-100; 0 where there is
    no match). Duplicate and ambiguous reference rows are counted in warnings. Raises ContractBreach
    that names an unusable file.
    """
    files = find_files(sources)
    if not files:
        none = ibis.literal("none").cast("string")
        return customers.mutate(enrichment_match=none, enrichment_score=ibis.literal(0.0))
    companies = _companies(run, read_reference(run, files, customers.columns))
    asked = customers.mutate(asked__id=clean_id(customers.customer_id))
    asked = run.engine.cache(_named(asked, companies.names))
    result = run.engine.cache(_join(run, asked, companies))
    _tell(run, result, companies)
    return result


@dataclass(frozen=True)
class _Companies:
    """Reference data, one row an id and one row a name; both with every attribute.

    ``names`` has the ids that have one name: key__id, named.
    """

    by_id: ir.Table
    by_name: ir.Table
    names: ir.Table
    attributes: list[str]


def _companies(run: Run, reference: pa.Table) -> _Companies:
    attributes = [
        name for name in reference.column_names if name not in ("customer_id", "customer_name")
    ]
    table = run.engine.from_arrow(reference)
    rows = run.engine.cache(
        table.select(
            *attributes,
            named=table.customer_name,
            key__id=clean_id(table.customer_id),
            key__name=name_key(table.customer_name),
        )
    )
    by_id = run.engine.cache(_merge(rows.filter(rows.key__id.notnull()), "key__id", attributes))
    _tell_duplicates(run, by_id, attributes)
    named = rows.filter(rows.key__name.notnull())
    aliases = named.filter(named.key__id.notnull()).select("key__id", "key__name")
    known = aliases.distinct().inner_join(by_id, "key__id").select("key__name", *attributes)
    loose = named.filter(named.key__id.isnull()).select("key__name", *attributes)
    by_name = run.engine.cache(_merge(known.union(loose), "key__name", attributes))
    return _Companies(by_id, by_name, _names(named), attributes)


def _names(rows: ir.Table) -> ir.Table:
    """Spellings of one name are one, the first in the alphabet; two names are none."""
    spelt = rows.filter(rows.key__id.notnull()).group_by("key__id")
    merged = spelt.aggregate(
        named=rows.named.min(), low=rows.key__name.min(), high=rows.key__name.max()
    )
    return merged.filter(merged.low == merged.high).select("key__id", "named")


def _merge(rows: ir.Table, key: str, attributes: list[str]) -> ir.Table:
    """One row a key: each attribute's one value, and ``differs__<attribute>`` where it has two."""
    lows = {f"low__{name}": rows[name].min() for name in attributes}
    highs = {f"high__{name}": rows[name].max() for name in attributes}
    merged = rows.group_by(key).aggregate(**lows, **highs)
    differs = {
        name: (merged[f"low__{name}"] != merged[f"high__{name}"]).fill_null(False)
        for name in attributes
    }
    ambiguous: ir.BooleanValue = ibis.literal(False)
    for flag in differs.values():
        ambiguous = ambiguous | flag
    values = {
        name: ibis.ifelse(
            differs[name], ibis.null().cast(rows[name].type()), merged[f"low__{name}"]
        )
        for name in attributes
    }
    flags = {f"differs__{name}": flag for name, flag in differs.items()}
    return merged.select(key, is__ambiguous=ambiguous, **values, **flags)


def _named(customers: ir.Table, names: ir.Table) -> ir.Table:
    """The customers, with the names of the reference where the log has none."""
    joined = customers.left_join(names, customers.asked__id == names.key__id)
    return joined.mutate(
        customer_name=joined.customer_name.coalesce(joined.named),
        customer_name_key=joined.customer_name_key.coalesce(name_key(joined.named)),
    ).select(*customers.columns)


def _join(run: Run, customers: ir.Table, companies: _Companies) -> ir.Table:
    by_id = companies.by_id.select(
        "key__id", **{f"id__{name}": companies.by_id[name] for name in companies.attributes}
    )
    links = _links(run, customers, companies)
    names = companies.by_name
    by_name = links.inner_join(names, links.link__reference == names.key__name).select(
        links.link__name,
        links.enrichment_match,
        links.enrichment_score,
        **{f"name__{name}": names[name] for name in companies.attributes},
    )
    own = [name for name in customers.columns if name != "asked__id"]
    joined = customers.left_join(by_id, customers.asked__id == by_id.key__id)
    joined = joined.left_join(by_name, joined.customer_name_key == by_name.link__name)
    found = joined.key__id.notnull()
    return joined.select(
        *own,
        **{
            name: ibis.ifelse(found, joined[f"id__{name}"], joined[f"name__{name}"])
            for name in companies.attributes
        },
        enrichment_match=ibis.ifelse(found, "id", joined.enrichment_match.fill_null("none")),
        enrichment_score=ibis.ifelse(found, 100.0, joined.enrichment_score.fill_null(0.0)),
    ).order_by("customer_id")


def _links(run: Run, customers: ir.Table, companies: _Companies) -> ir.Table:
    """Which reference name each customer name means: itself, or the one that is clearly near."""
    by_id, by_name = companies.by_id, companies.by_name
    clear = by_name.filter(~by_name.is__ambiguous)
    same = clear.select(
        link__name=clear.key__name,
        link__reference=clear.key__name,
        enrichment_match=ibis.literal("name"),
        enrichment_score=ibis.literal(100.0),
    )
    left = customers.anti_join(by_id, customers.asked__id == by_id.key__id)
    left = left.anti_join(by_name, left.customer_name_key == by_name.key__name)
    asked = left.filter(left.customer_name_key.notnull()).select("customer_name_key").distinct()
    names = sorted(run.engine.to_arrow(asked)["customer_name_key"].to_pylist())
    known = run.engine.to_arrow(by_name.select("key__name", "is__ambiguous"))
    references: list[str] = known["key__name"].to_pylist()
    settings = run.settings.etl.enrichment
    rules = FuzzyRules(
        settings.fuzzy_threshold,
        settings.fuzzy_margin,
        settings.fuzzy_block_size,
        run.engine.threads,
    )
    nearest = nearest_names(names, references, rules)
    ambiguous = known["is__ambiguous"].to_pylist()
    rows = [
        {
            "link__name": name,
            "link__reference": references[index],
            "enrichment_match": "fuzzy",
            "enrichment_score": score,
        }
        for name, index, score in zip(
            names, nearest.reference.tolist(), nearest.score.tolist(), strict=True
        )
        if index >= 0 and not ambiguous[index]
    ]
    if tied := int(nearest.tied.sum()):
        run.note(f"Enrichment: {tied} customer names have two near reference names: not matched.")
    return same.union(run.engine.from_rows(rows, LINKS))


def _tell_duplicates(run: Run, by_id: ir.Table, attributes: list[str]) -> None:
    counts = {name: by_id[f"differs__{name}"].cast("int64").sum() for name in attributes}
    told = run.engine.to_arrow(
        by_id.aggregate(ids=by_id.is__ambiguous.cast("int64").sum(), **counts)
    ).to_pylist()[0]
    if ids := told.pop("ids"):
        cells = ", ".join(f"{name} {n}" for name, n in told.items() if n)
        run.warn(
            f"Enrichment: {ids} customer ids stand in several reference rows that disagree; "
            f"the cells in question are left blank ({cells})."
        )


def _tell(run: Run, result: ir.Table, companies: _Companies) -> None:
    names = companies.by_name.filter(companies.by_name.is__ambiguous).key__name
    hit = (result.enrichment_match == "none") & result.customer_name_key.isin(names)
    ambiguous, customers = (
        run.engine.scalar(names.count()),
        run.engine.scalar(result.filter(hit).count()),
    )
    if ambiguous:
        run.warn(
            f"Enrichment: {ambiguous} reference names stand for rows that disagree; "
            f"{customers} customers of these names are left without a match."
        )
    counts = result.group_by("enrichment_match").aggregate(n=result.count())
    found = {row["enrichment_match"]: row["n"] for row in run.engine.to_arrow(counts).to_pylist()}
    told = ", ".join(f"{found.get(kind, 0)} {kind}" for kind in ("id", "name", "fuzzy", "none"))
    run.note(f"Enrichment: customers matched by {told}.")
