"""Where sales logs come from: files, folders and globs, or a database. All become text cells.

``find_sources`` looks at every source once (its columns and a hash of its content) and
collects what is wrong with any of them; ``Source.rows`` streams the cells.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gosales.checksum import content_sha256, file_sha256, parquet_batches
from gosales.engine import copy_external
from gosales.errors import ConfigError, ContractBreach, MissingExtraError
from gosales.etl.headers import header_key
from gosales.etl.text_files import BadRow, open_rows, scan_text
from gosales.etl.workbooks import Sheet, read_workbook
from gosales.settings import DatabaseSource, EtlSettings
from gosales.workspace import Workspace

__all__ = [
    "Source",
    "Sources",
    "enrichment_files",
    "find_sources",
    "open_source",
    "resolve_url",
]

TEXT = {".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"}
EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
PARQUET = {".parquet", ".pq"}
OnBadRow = Callable[[BadRow], None] | None


@dataclass(frozen=True)
class Source:
    """One file or table: its name in messages, its columns, its content's hash and its rows."""

    name: str
    columns: tuple[str, ...]
    sha256: str
    rows: Callable[[OnBadRow], Iterator[pa.RecordBatch]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """The readable sources, sorted by name, and a line for each one that is not."""

    good: tuple[Source, ...]
    faults: tuple[str, ...]
    ignored: tuple[str, ...]


def find_sources(workspace: Workspace, settings: EtlSettings) -> Sources:
    """Open every configured source. Raises ConfigError when there is none at all."""
    good: dict[str, Source] = {}
    faults: list[str] = []
    ignored: list[str] = []
    for item in settings.sources:
        if isinstance(item, DatabaseSource) or "://" in item:
            source = item if isinstance(item, DatabaseSource) else _parse_url(item)
            opened = _open_database(source, workspace.scratch)
            good[opened.name] = opened
            continue
        for path in _expand(workspace, item, ignored):
            name = workspace.relative(path)
            try:
                good |= {source.name: source for source in _open_file(path, name, settings)}
            except ContractBreach as error:
                faults.append(str(error))
    if not good and not faults:
        raise ConfigError(
            f"No sales log found in etl.sources: {', '.join(map(str, settings.sources))} "
            f"(below {workspace.root}).{_not_read(ignored)}",
            "Put a log there, set etl.sources, or make one: gosales sample simulate --out DIR",
        )
    return Sources(tuple(good[name] for name in sorted(good)), tuple(faults), tuple(ignored))


def _not_read(ignored: list[str]) -> str:
    if not ignored:
        return ""
    shown = ", ".join(sorted(ignored)[:5])
    return f" There is {shown}, but GoSales reads CSV, TSV, gzip, Excel and Parquet."


def open_source(workspace: Workspace, item: str | DatabaseSource, settings: EtlSettings) -> Source:
    """One file or table, in any form that ``etl.sources`` takes.

    Raises ConfigError for one that is not there, ContractBreach for one that cannot be read.
    """
    if isinstance(item, DatabaseSource) or "://" in item:
        source = item if isinstance(item, DatabaseSource) else _parse_url(item)
        return _open_database(source, workspace.scratch)
    path = workspace.resolve(item)
    if not path.is_file():
        raise ConfigError(f"The file {item} does not exist (below {workspace.root}).")
    return _open_file(path, workspace.relative(path), settings)[0]


def enrichment_files(workspace: Workspace, settings: EtlSettings) -> list[Path]:
    """The enrichment's reference files, sorted; a glob may match none."""
    ignored: list[str] = []
    found = [f for item in settings.enrichment.sources for f in _expand(workspace, item, ignored)]
    return sorted(set(found))


def _expand(workspace: Workspace, pattern: str, ignored: list[str]) -> list[Path]:
    """The files that a file name, folder or glob names, sorted; sub-folders are searched."""
    path = workspace.resolve(pattern)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file()]
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        found = [file for file in found if file.is_file()]
        if not found and not glob.has_magic(pattern) and path != workspace.data / "raw":
            raise ConfigError(
                f"The sales log {pattern} does not exist (below {workspace.root}).",
                "Correct etl.sources.",
            )
    visible = [file for file in found if not file.name.startswith((".", "~$"))]
    ignored.extend(workspace.relative(f) for f in visible if not _kind(f))
    return sorted(file for file in visible if _kind(file))


def _kind(path: Path) -> str:
    ending = "".join(path.suffixes[-2:]).lower() if path.suffix.lower() == ".gz" else ""
    ending = ending or path.suffix.lower()
    kinds = {"text": TEXT, "excel": EXCEL, "parquet": PARQUET}
    return next((kind for kind, endings in kinds.items() if ending in endings), "")


def _open_file(path: Path, name: str, settings: EtlSettings) -> list[Source]:
    """The file; a workbook whose sheets hold parts of the log is a source a sheet."""
    kind = _kind(path) or "text"
    if path.stat().st_size == 0:
        raise ContractBreach(
            f"{name}: the file is empty.", "Export the log again, or leave the file out."
        )
    opener = {"text": _open_text, "excel": _open_excel, "parquet": _open_parquet}[kind]
    sources = opener(path, name, settings)
    for source in sources:
        twice = [head for head, n in Counter(map(header_key, source.columns)).items() if n > 1]
        if twice:
            shown = [column for column in source.columns if header_key(column) in twice]
            raise ContractBreach(
                f"{source.name}: columns with the same name: {', '.join(shown)}.",
                "Give each column a name of its own.",
            )
    return sources


def _open_text(path: Path, name: str, settings: EtlSettings) -> list[Source]:
    scan = scan_text(path, name, settings.encoding, settings.delimiter, settings.source_columns)
    notes = _titles(name, scan.titles)
    if scan.guessed:
        notes += (
            f"{name}: not UTF-8; read as {scan.encoding}. Set etl.encoding if names look wrong.",
        )
    rows = partial(open_rows, path, name, scan)
    return [Source(name, tuple(scan.header), scan.sha256, rows, notes)]


def _open_parquet(path: Path, name: str, _: EtlSettings) -> list[Source]:
    try:
        columns = tuple(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise ContractBreach(
            f"{name}: not a readable Parquet file ({str(error).splitlines()[0]}).",
            "Export it again, or leave it out.",
        ) from None

    return [Source(name, columns, file_sha256(path), lambda _: _parquet_text(path))]


def _parquet_text(path: Path) -> Iterator[pa.RecordBatch]:
    for batch in parquet_batches(path):
        yield _as_text(batch)


def _open_excel(path: Path, name: str, settings: EtlSettings) -> list[Source]:
    sheets, others = read_workbook(path, name, settings.source_columns)
    sha256 = file_sha256(path)
    sources: list[Source] = []
    for sheet in sheets:
        shown = f"{name}#{sheet.name}" if len(sheets) > 1 else name
        notes = _titles(shown, sheet.titles)
        if others and not sources:
            notes += (f"{name}: no log, and not read, are the sheets {', '.join(others)}.",)
        columns = tuple(sheet.table.column_names)
        sources.append(Source(shown, columns, sha256, partial(_sheet_text, sheet), notes))
    return sources


def _sheet_text(sheet: Sheet, _: OnBadRow) -> Iterator[pa.RecordBatch]:
    for batch in sheet.table.to_batches():
        yield _as_text(batch)


def _titles(name: str, count: int) -> tuple[str, ...]:
    return (f"{name}: {count} lines above the header are no data.",) if count else ()


def _parse_url(url: str) -> DatabaseSource:
    """``postgres://host/db#table`` is short for a mapping with url and table."""
    base, _, table = url.partition("#")
    return DatabaseSource(url=base, table=table or None)


def _open_database(source: DatabaseSource, scratch: Path) -> Source:
    """A table or query; ``${NAME}`` in the URL is taken from the environment."""
    shown, url = resolve_url(source.url)
    if (source.table is None) == (source.query is None):
        raise ConfigError(
            f"{shown}: a database source needs a table or a query.",
            "Write {url: ..., table: ...}, {url: ..., query: ...} or URL#table.",
        )
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"source-{hashlib.sha256(repr(source).encode()).hexdigest()[:16]}.parquet"
    try:
        copy_external(url, source.table, source.query, path)
    except ImportError as error:
        raise MissingExtraError("db", f"Reading {shown} (module {error.name})") from None
    except Exception as error:  # each driver raises kinds of its own
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"{shown}: cannot read {source.table or 'the query'}: {first}.",
            "Check the URL, the name and the credentials in the environment.",
        ) from error
    columns = tuple(pq.read_schema(path).names)
    sha256 = content_sha256(_parquet_text(path))
    name = f"{shown}#{source.table or 'query'}"
    return Source(name, columns, sha256, lambda _: _parquet_text(path))


def resolve_url(url: str) -> tuple[str, str]:
    """A database URL as messages show it, and with each ``${NAME}`` taken from the environment.

    Raises ConfigError for a URL that holds a password, and for a variable that is not set.
    """
    shown = re.sub(r"//.*@", "//", url)
    if re.search(r"://[^/@:]*:(?!\$\{)[^@/]+@", url):
        raise ConfigError(
            f"{shown}: the URL holds a password.",
            "Put it in an environment variable and write ${NAME} in its place.",
        )

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(f"The environment variable {match[1]} is not set.", "Set it.")
        return os.environ[match[1]]

    return shown, re.sub(r"\$\{(\w+)\}", value, url)


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Every cell as text, blanks and NaN null; dates and times in ISO form."""
    return pa.record_batch([_text_column(c) for c in batch.columns], names=batch.schema.names)


def _text_column(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, None)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = pc.strftime(
            column.cast(pa.timestamp("s", "UTC"), safe=False), "%Y-%m-%dT%H:%M:%SZ"
        )
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)
