"""Reference files of the enrichment: found, read and put into one table with typed columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gosales.checksum import parquet_batches, parquet_files
from gosales.errors import ContractBreach
from gosales.etl.headers import FIELDS, field_key
from gosales.etl.text_files import open_rows, scan_text
from gosales.run import Run
from gosales.workspace import slug

__all__ = ["find_files", "read_reference"]

KEYS = ("customer_id", "customer_name")
TEXT = (".csv", ".tsv", ".txt")
# Columns of dim_customer that an attribute may not take the place of.
CORE = frozenset(
    (
        *KEYS, "customer_name_key", "enrichment_match", "enrichment_score", "first_order_date",
        "last_order_date", "orders", "gross_profit",
    )
)  # fmt: skip
_WHOLE = r"^-?(0|[1-9][0-9]{0,17})$"
_NUMBER = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$"


def find_files(sources: list[Path]) -> list[Path]:
    """Files, folders and globs as files in the order of their names, each once.

    A glob may match nothing. Raises ContractBreach for a file that is named but not there.
    """
    files: set[Path] = set()
    for source in sources:
        if source.is_dir() and not _is_parquet(source):
            files.update(path for path in source.iterdir() if _is_parquet(path) or _is_text(path))
        elif source.exists():
            files.add(source)
        elif re.search(r"[*?\[]", str(source)):
            pattern = source.relative_to(source.anchor) if source.anchor else source
            files.update(Path(source.anchor).glob(str(pattern)))
        else:
            raise ContractBreach(
                f"{source}: this enrichment file does not exist.", "See etl.enrichment.sources."
            )
    return sorted(path for path in files if not path.name.startswith((".", "_")))


def read_reference(run: Run, files: list[Path], taken: Collection[str]) -> pa.Table:
    """The rows of all files: customer_id, customer_name (text, null where a file lacks it),
    then the attributes by name: text, or numbers where every value is one.

    An attribute named like a core column or one of ``taken`` gets the suffix ``_enriched``.
    Raises ContractBreach that names the file.
    """
    reserved = CORE | set(taken)
    parts = [pa.table({name: pa.array([], pa.string()) for name in KEYS})]
    for file in files:
        parts.append(_read_file(run, file, reserved))
    whole = pa.concat_tables(parts, promote_options="default")
    names = sorted(set(whole.column_names) - set(KEYS))
    return pa.table(
        {name: whole[name].combine_chunks() for name in KEYS}
        | {name: _typed(whole[name].combine_chunks()) for name in names}
    )


def _read_file(run: Run, file: Path, reserved: Collection[str]) -> pa.Table:
    name = run.workspace.relative(file)
    try:
        if _is_parquet(file):
            headers = pq.read_schema(parquet_files(file)[0]).names
            batches = parquet_batches(file)
        elif _is_text(file):
            headers, batches = _text_rows(run, file, name)
        else:
            raise ContractBreach(
                f"{name}: enrichment is read from CSV or Parquet files.",
                "Save it as one of them, or change etl.enrichment.sources.",
            )
        columns = _column_names(headers, reserved, name)
        parts = [_text_columns(batch, columns, name) for batch in batches]
    except (OSError, IndexError, pa.ArrowException) as error:
        raise ContractBreach(
            f"{name}: this enrichment file cannot be read ({str(error).splitlines()[0]}).",
            "Export it again as CSV or Parquet, or change etl.enrichment.sources.",
        ) from None
    empty = pa.table({column: pa.array([], pa.string()) for column in columns.values()})
    return pa.concat_tables([empty, *parts])


def _text_rows(run: Run, file: Path, name: str) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    scan = scan_text(file, name, "auto", "auto", {})

    def rows() -> Iterator[pa.RecordBatch]:
        bad: list[int] = []
        yield from open_rows(file, name, scan, lambda row: bad.append(row.row))
        if bad:
            run.warn(
                f"{name}: {len(bad)} rows whose cells do not fit the header were left out, "
                f"the first is row {min(bad)}."
            )

    return scan.header, rows()


def _column_names(headers: list[str], reserved: Collection[str], name: str) -> dict[int, str]:
    """Place in the file -> column; raises when no key is there or two columns are one."""
    keys = [field_key(header) for header in headers]
    columns: dict[int, str] = {}
    for field in KEYS:
        known = (field_key(field), *FIELDS[field])
        place = next((keys.index(key) for key in known if key in keys), None)
        if place is not None and place not in columns:
            columns[place] = field
    if not columns:
        raise ContractBreach(
            f"{name}: neither a customer_id nor a customer_name column was found among "
            f"{', '.join(headers)}.",
            "Give the file a column customer_id or customer_name.",
        )
    for place, header in enumerate(headers):
        attribute = slug(header).strip("_")
        if place in columns or not attribute or attribute.startswith("unnamed_"):
            continue
        attribute = f"{attribute}_enriched" if attribute in reserved else attribute
        if attribute in columns.values():
            raise ContractBreach(
                f"{name}: two columns are both called {attribute}.", "Rename one of them."
            )
        columns[place] = attribute
    return columns


def _text_columns(batch: pa.RecordBatch, columns: dict[int, str], name: str) -> pa.Table:
    chosen = {}
    for place, column in columns.items():
        try:
            text = _as_text(batch.column(place))
        except pa.ArrowException:
            raise ContractBreach(
                f"{name}: column {column} holds {batch.column(place).type}, not plain values.",
                "Leave the column out, or write one value a cell.",
            ) from None
        text = pc.utf8_trim_whitespace(text)
        chosen[column] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.table(chosen)


def _as_text(column: pa.Array) -> pa.Array:
    """Cells as text; NaN is null, and 123.0 is 123 as people write it."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        whole = pc.all(pc.equal(pc.round(column), column)).as_py()
        small = pc.all(pc.less(pc.abs(column), 1e15)).as_py()
        if whole and small:
            column = column.cast(pa.int64())
    return column.cast(pa.string())


def _typed(column: pa.Array) -> pa.Array:
    present = column.drop_null()
    if not len(present):
        return column
    if pc.all(pc.match_substring_regex(present, _WHOLE)).as_py():
        return column.cast(pa.int64())
    if pc.all(pc.match_substring_regex(present, _NUMBER)).as_py():
        return column.cast(pa.float64())
    return column


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _is_text(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(TEXT)
