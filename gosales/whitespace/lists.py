"""Lists of customers that a sales team keeps elsewhere: read, matched to the star's customers.

A list is a file or a database table. Customers are named by ``customer_id`` or, without that
column, by ``customer_name``; a blank or missing division means every division. An id that no
customer has means those whose ids differ only in letter case and leading zeros, which spreadsheets
lose: a list like these keeps people out.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from gosales.errors import ConfigError
from gosales.etl.dates import parse_dates, resolve_order
from gosales.etl.headers import FIELDS, field_key
from gosales.etl.names import name_key
from gosales.etl.normalize import clean_id, clean_text, folded_id
from gosales.etl.sources import open_source
from gosales.etl.star import Star
from gosales.run import Run
from gosales.settings import ListSource
from gosales.workspace import slug

__all__ = ["read_names", "read_pairs"]

SYNONYMS = {
    "customer_id": FIELDS["customer_id"],
    "customer_name": FIELDS["customer_name"],
    "division": ("division", "divisionname", "productdivision", "whitespacedivision"),
    "contact_date": (
        "contactdate", "lastcontactdate", "lastcontact", "lastcontacted", "contactedon", "date",
        "activitydate", "lastactivitydate", "lastactivity",
    ),
    "region": ("region", "salesregion", "name"),
}  # fmt: skip


def read_pairs(run: Run, star: Star, source: ListSource, key: str, dated: bool = False) -> ir.Table:
    """(customer_id, division_name) of a list, once each; ``contact_date`` (the last) if dated.

    ``division_name`` is null where the list means every division. Raises ConfigError when a
    needed column is missing; rows of unknown customers or divisions are counted in a warning.
    """
    needed = ["customer_id or customer_name", *(["contact_date"] if dated else [])]
    cells = _cells(run, source, key, needed)
    rows = run.engine.cache(_with_customer(star, cells))
    rows = _with_division(run, star, rows, key)
    if dated:
        rows = _with_date(run, rows, key)
    known = rows.semi_join(star.customers, "customer_id")
    total, found = (int(run.engine.scalar(table.count())) for table in (rows, known))
    if found < total:
        run.warn(f"{key}: {total - found} of {total} rows name no customer of the star.")
    keys = known.group_by("customer_id", "division_name")
    listed = keys.agg(contact_date=_.contact_date.max()) if dated else keys.agg()
    return run.engine.cache(listed)


def read_names(run: Run, source: list[str] | ListSource, key: str) -> list[str]:
    """The distinct names of a list of regions, as written in the settings or in a column."""
    if isinstance(source, list):
        return sorted({name.strip() for name in source if name.strip()})
    cells = _cells(run, source, key, ["region"])
    names = run.engine.to_arrow(cells.select(name=clean_text(cells.region)).distinct())
    return sorted(name for name in names.column("name").to_pylist() if name)


def _cells(run: Run, source: ListSource, key: str, needed: list[str]) -> ir.Table:
    """The columns that mean something to us, as text. Raises ConfigError without a needed one."""
    try:
        opened = open_source(run.workspace, source, run.settings.etl)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", error.remedy) from None
    columns: dict[str, str] = {}
    by_key = {field_key(name): name for name in opened.columns}
    for field, names in SYNONYMS.items():
        header = next((by_key[name] for name in names if name in by_key), None)
        if header is not None and header not in columns.values():
            columns[field] = header
    missing = [names for names in needed if not set(names.split(" or ")) & set(columns)]
    if missing:
        raise ConfigError(f"{key}: the list has no column {missing[0]}.", "Give it one.")
    schema = pa.schema([(name, pa.string()) for name in opened.columns])
    skipped: list[int] = []
    batches = list(opened.rows(lambda row: skipped.append(row.row)))
    if skipped:
        run.warn(f"{key}: {len(skipped)} rows do not fit the header and are left out.")
    table = pa.Table.from_batches(batches, schema).select(list(columns.values()))
    return run.engine.from_arrow(table.rename_columns(list(columns)))


def _with_customer(star: Star, cells: ir.Table) -> ir.Table:
    if "customer_id" in cells.columns:
        return _with_near_id(star, cells.mutate(customer_id=clean_id(cells.customer_id)))
    named = star.customers.filter(_.customer_name_key.notnull()).select(
        "customer_name_key", "customer_id"
    )
    asked = cells.mutate(customer_name_key=name_key(cells.customer_name))
    # A name that several customers bear means all of them.
    return asked.left_join(named, "customer_name_key")


def _with_near_id(star: Star, cells: ir.Table) -> ir.Table:
    exact = cells.semi_join(star.customers, "customer_id")
    rest = cells.anti_join(star.customers, "customer_id")
    near = star.customers.select("customer_id", folded=folded_id(star.customers.customer_id))
    asked = rest.mutate(folded=folded_id(rest.customer_id)).drop("customer_id")
    return exact.union(asked.left_join(near, "folded").select(*cells.columns))


def _with_division(run: Run, star: Star, rows: ir.Table, key: str) -> ir.Table:
    if "division" not in rows.columns:
        return rows.mutate(division_name=ibis.null("string"))
    rows = rows.mutate(division=clean_text(rows.division))
    texts = run.engine.to_arrow(rows.select("division").distinct()).column("division").to_pylist()
    known = {slug(name): name for name in star.about.divisions}
    written = sorted(text for text in texts if text)
    unknown = [text for text in written if slug(text) not in known]
    if unknown:
        run.warn(f"{key}: the star has no division {', '.join(unknown)}; such rows are left out.")
    mapping = [
        {"division": text, "division_name": known[slug(text)]}
        for text in written
        if slug(text) in known
    ]
    names = run.engine.from_rows(
        mapping, pa.schema({"division": pa.string(), "division_name": pa.string()})
    )
    joined = rows.left_join(names, "division").drop("division_right")
    return joined.filter(joined.division.isnull() | joined.division_name.notnull())


def _with_date(run: Run, rows: ir.Table, key: str) -> ir.Table:
    texts = run.engine.cache(
        rows.filter(rows.contact_date.notnull()).select(text=rows.contact_date).distinct()
    )
    order = resolve_order(run.engine, texts, run.settings.etl)
    days = parse_dates(run.engine, texts, order, run.settings.etl)
    rows = rows.rename(written="contact_date")
    dated = rows.left_join(days, rows.written == days.text).rename(contact_date="day")
    bad = int(run.engine.scalar(dated.filter(dated.contact_date.isnull()).count()))
    if bad:
        raise ConfigError(
            f"{key}: {bad} rows have no contact_date that can be read.",
            "Write dates as YYYY-MM-DD, or take these rows out.",
        )
    return run.engine.cache(dated)
