"""Staging: the raw cells of all sources as text, one table, each row with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gosales.errors import ContractBreach
from gosales.etl.headers import header_key
from gosales.etl.layout import ProductColumn
from gosales.etl.sources import Source
from gosales.etl.text_files import BadRow, MisfitFound
from gosales.etl.wide import CELLS, full_cells
from gosales.run import Step

__all__ = ["ORIGIN", "StagedFile", "StagedLog", "stage_sources", "union_columns"]

# Our own columns of the staging table; a log's column of the same name gets a suffix.
ORIGIN = ("source_file", "source_row", "row_id")
ROW_GROUP = 122_880
MISFIT_SCHEMA = pa.schema(
    {
        "source_file": pa.string(),
        "source_row": pa.int64(),
        "cells": pa.int64(),
        "expected": pa.int64(),
        "raw_line": pa.string(),
    }
)


@dataclass(frozen=True)
class StagedFile:
    """Rows read from a source: those staged and those whose cells do not fit its header."""

    name: str
    staged: int
    misfits: int


@dataclass(frozen=True)
class StagedLog:
    """``table``: the staged rows; ``cells``: the full cells of a wide log's products, a file a
    source; ``misfits``: rows that do not fit their header, as text."""

    table: Path
    cells: tuple[Path, ...]
    misfits: Path
    columns: tuple[str, ...]
    files: tuple[StagedFile, ...]
    faults: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of the staged table."""
        return sum(file.staged for file in self.files)

    @property
    def read(self) -> int:
        return sum(file.staged + file.misfits for file in self.files)


def union_columns(sources: tuple[Source, ...]) -> dict[str, str]:
    """The log's columns by comparable name; the first spelling in file order is kept."""
    union: dict[str, str] = {}
    for source in sources:
        for column in source.columns:
            name = f"{column}_in_log" if column.lower() in ORIGIN else column
            union.setdefault(header_key(column), name)
    return union


def stage_sources(
    sources: tuple[Source, ...], folder: Path, step: Step, products: tuple[ProductColumn, ...] = ()
) -> StagedLog:
    """Stream all sources into one parquet file in ``folder``; memory stays bounded.

    ``products``: those of a wide log, whose full cells are written on the way. A source that
    breaks while it is read ends up in ``faults`` and leaves no row behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    union = union_columns(sources)
    schema = pa.schema(
        [pa.field(name, pa.string()) for name in union.values()]
        + [
            pa.field("source_file", pa.string()),
            pa.field("source_row", pa.int64()),
            pa.field("row_id", pa.int64()),
        ]
    )
    files, faults, misfits = [], [], []
    first_id = 0
    parts: list[Path] = []
    cells: list[Path] = []
    for number, source in enumerate(sources):
        part, full = (folder / f"{kind}-{number:05d}.parquet" for kind in ("part", "cells"))
        bad: list[BadRow] = []
        try:
            try:
                rows = _staged_rows(source, schema, list(union), first_id, None)
                staged = _write_part(rows, schema, part, full, products, step)
            except MisfitFound:
                # Rare: read again, counting rows, so that each misfit is told by its number.
                rows = _staged_rows(source, schema, list(union), first_id, bad)
                staged = _write_part(rows, schema, part, full, products, step)
        except ContractBreach as error:
            faults.append(str(error))
            part.unlink(missing_ok=True)
            continue
        parts.append(part)
        cells.append(full)
        first_id += staged
        misfits += [(source.name, row) for row in bad]
        files.append(StagedFile(source.name, staged, len(bad)))
    step.rows = first_id
    return StagedLog(
        table=_join_parts(parts, schema, folder / "sales_log.parquet"),
        cells=tuple(cells),
        misfits=_write_misfits(misfits, folder),
        columns=tuple(union.values()),
        files=tuple(files),
        faults=tuple(faults),
    )


def _staged_rows(
    source: Source, schema: pa.Schema, keys: list[str], first_id: int, bad: list[BadRow] | None
) -> Iterator[pa.RecordBatch]:
    """One source's rows with their origin, in file order. Misfits go to ``bad``."""
    places = {header_key(name): place for place, name in enumerate(source.columns)}
    next_id, next_row = first_id, 1
    for batch in source.rows(None if bad is None else bad.append):
        if not batch.num_rows:
            continue
        rows = _row_numbers(next_row, batch.num_rows, bad or [])
        next_row = int(rows[-1]) + 1
        cells = [
            batch.column(places[key]) if key in places else pa.nulls(len(batch), pa.string())
            for key in keys
        ]
        ids = np.arange(next_id, next_id + len(batch))
        names = pa.repeat(source.name, len(batch))
        yield pa.record_batch([*cells, names, pa.array(rows), pa.array(ids)], schema=schema)
        next_id += len(batch)


def _write_part(
    rows: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    part: Path,
    cells: Path,
    products: tuple[ProductColumn, ...],
    step: Step,
) -> int:
    """Write one source's rows and their full cells; returns how many rows there were.

    One batch is written while the next is read.
    """
    staged = 0
    with (
        pq.ParquetWriter(part, schema) as writer,
        # Hardly two amounts are equal, and all are read: no dictionaries, no statistics.
        pq.ParquetWriter(cells, CELLS, use_dictionary=False, write_statistics=False) as full,
        ThreadPoolExecutor(1) as beside,
    ):
        written: Future[None] | None = None
        for batch in rows:
            if written is not None:
                written.result()
            written = beside.submit(writer.write_batch, batch, row_group_size=ROW_GROUP)
            if products:
                full.write_table(full_cells(batch, products))
            staged += len(batch)
            step.advance(len(batch))
        if written is not None:
            written.result()
    return staged


def _row_numbers(
    first: int, count: int, bad: list[BadRow]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The next ``count`` row numbers from ``first`` on, without those of bad rows."""
    skipped = np.array([row.row for row in bad if row.row >= first], dtype=np.int64)
    candidates = np.arange(first, first + count + len(skipped), dtype=np.int64)
    return candidates[~np.isin(candidates, skipped)][:count]


def _join_parts(parts: list[Path], schema: pa.Schema, target: Path) -> Path:
    """One file of all parts; a single part is the file."""
    if len(parts) == 1:
        return parts[0].rename(target)
    with pq.ParquetWriter(target, schema) as writer:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group), row_group_size=ROW_GROUP)
            part.unlink()
    return target


def _write_misfits(misfits: list[tuple[str, BadRow]], folder: Path) -> Path:
    rows = [
        {
            "source_file": name,
            "source_row": row.row,
            "cells": row.cells,
            "expected": row.expected,
            "raw_line": row.text,
        }
        for name, row in misfits
    ]
    path = folder / "misfits.parquet"
    pq.write_table(pa.Table.from_pylist(rows, MISFIT_SCHEMA), path)
    return path
