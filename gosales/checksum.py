"""Checksums: of a file's bytes, and of a table's content whatever engine wrote it.

A content checksum reads the rows in their order and hashes the values, not the encoding:
one parquet file from DuckDB and a folder of part files from Spark with the same rows give
the same sha256. Rows are taken in slices of a fixed size, so batch borders do not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = [
    "column_sha256",
    "content_of",
    "content_sha256",
    "file_sha256",
    "parquet_batches",
    "parquet_files",
    "parquet_rows",
]

SLICE = 65_536


def file_sha256(path: Path) -> str:
    """sha256 of a file; of a folder, of its part files in the order of their names' part number."""
    digest = hashlib.sha256()
    for file in parquet_files(path) if path.is_dir() else [path]:
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def parquet_files(path: Path) -> list[Path]:
    """The file itself, or a folder's part files in order (Spark numbers them)."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def parquet_rows(path: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in parquet_files(path))


def parquet_batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a parquet artifact in their order, memory bounded."""
    for file in parquet_files(path):
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(SLICE, columns=columns)


def content_sha256(batches: Iterable[pa.RecordBatch], columns: list[str] | None = None) -> str:
    """sha256 of the rows' values in order, over column names, types and content."""
    fields: list[pa.Field] = []
    digests: list[hashlib._Hash] = []
    for batch in _resliced(batches):
        chosen = batch if columns is None else batch.select(columns)
        if not fields:
            fields = list(chosen.schema)
            digests = [hashlib.sha256() for _ in fields]
        for digest, column in zip(digests, chosen.columns, strict=True):
            _update(digest, column)
    return content_of(
        (field.name, field.type, digest.digest())
        for field, digest in zip(fields, digests, strict=True)
    )


def column_sha256(column: pa.Array) -> bytes:
    """sha256 of a column's values in order; equal columns of one type have equal ones."""
    digest = hashlib.sha256()
    for start in range(0, len(column), SLICE):
        _update(digest, column.slice(start, SLICE))
    return digest.digest()


def content_of(columns: Iterable[tuple[str, pa.DataType, bytes]]) -> str:
    """The content checksum of a table from name, type and ``column_sha256`` of its columns."""
    digest = hashlib.sha256()
    for name, kind, sha256 in columns:
        digest.update(f"{name}\x1f{_canonical(kind)}\x1e".encode())
        digest.update(sha256)
    return digest.hexdigest()


def _resliced(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in slices of SLICE rows but for the last; no slice is empty."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        rows += batch.num_rows
        if rows < SLICE:
            continue
        whole = pa.concat_batches(held)
        while whole.num_rows >= SLICE:
            yield whole.slice(0, SLICE)
            whole = whole.slice(SLICE)
        held, rows = ([whole] if whole.num_rows else []), whole.num_rows
    if held:
        yield pa.concat_batches(held)


def _canonical(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_integer(kind):
        return pa.int64()
    return kind


def _update(digest: hashlib._Hash, column: pa.Array) -> None:
    kind = _canonical(column.type)
    array = column.cast(kind) if column.type != kind else column
    digest.update(_bytes(pc.cast(pc.is_valid(array), pa.uint8())))
    if pa.types.is_string(kind):
        text = array.fill_null("")
        digest.update(_bytes(pc.binary_length(text)))
        digest.update(_text_bytes(text))
    elif pa.types.is_decimal(kind):
        exact = array.cast(pa.decimal128(38, kind.scale)).fill_null(0)
        digest.update(
            memoryview(exact.buffers()[1])[exact.offset * 16 : (exact.offset + len(exact)) * 16]
        )
    elif pa.types.is_boolean(kind):
        digest.update(_bytes(pc.cast(array.fill_null(False), pa.uint8())))
    elif pa.types.is_date(kind):
        digest.update(_bytes(pc.cast(pc.cast(array, pa.date32()), pa.int32()).fill_null(0)))
    elif pa.types.is_floating(kind):
        # Adding 0.0 makes -0.0 and 0.0 the same bytes.
        digest.update(_bytes(pc.add(pc.cast(array, pa.float64()).fill_null(0.0), 0.0)))
    else:
        digest.update(_bytes(pc.cast(array, pa.int64()).fill_null(0)))


def _bytes(array: pa.Array) -> bytes:
    values: bytes = array.to_numpy(zero_copy_only=False).tobytes()
    return values


def _text_bytes(text: pa.StringArray) -> memoryview:
    """The characters of a string array without nulls, end to end."""
    _, offsets, characters = text.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    if characters is None or not len(text):
        return memoryview(b"")
    return memoryview(characters)[int(ends[0]) : int(ends[-1])]
