"""Text files as rows of text cells: encoding, delimiter and header found, faults told.

One reader (Arrow's) serves every engine, so a cell reads the same everywhere. Rows with too
few or too many cells are handed out as ``BadRow`` with their number and their raw text.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from gosales.errors import ContractBreach
from gosales.etl.headers import HEADER_WITHIN, find_header

__all__ = ["BadRow", "MisfitFound", "TextScan", "open_rows", "scan_text"]

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16
# Bytes that make a batch, and that the parser takes at a time: small ones stay in its caches.
BLOCK = 8 << 20
PIECE = 2 << 20
# First bytes of files that are no text, and what they are.
MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "a gzip archive",
}


@dataclass(frozen=True)
class TextScan:
    """What one look through a text file tells; ``sha256`` is of the file's bytes.

    ``titles``: the lines with something on them above the header.
    """

    sha256: str
    encoding: str
    guessed: bool
    delimiter: str
    header: list[str]
    skip_lines: int
    titles: int


@dataclass(frozen=True)
class BadRow:
    """A row whose number of cells is not the header's; ``row`` is 1-based among data rows."""

    row: int
    cells: int
    expected: int
    text: str


def scan_text(
    path: Path, name: str, encoding: str, delimiter: str, chosen: dict[str, str]
) -> TextScan:
    """Read a file once: its hash, encoding, delimiter and header.

    ``chosen``: columns that the settings name, by field.

    Raises ContractBreach for an empty or binary file, naming it.
    """
    digest = hashlib.sha256()
    with path.open("rb") as raw:
        while block := raw.read(1 << 20):
            digest.update(block)
    with _open_bytes(path) as content:
        try:
            sample = content.read(SAMPLE)
        except (OSError, EOFError) as error:
            raise ContractBreach(f"{name}: the gzip archive is broken ({error}).") from None
    if not sample.strip():
        raise ContractBreach(
            f"{name}: the file is empty.", "Export the log again, or leave the file out."
        )
    found, guessed = (encoding, False) if encoding != "auto" else _find_encoding(path, name, sample)
    text = _decode_sample(sample, found, name)
    lines = text.splitlines(keepends=True)
    written = [n for n, line in enumerate(lines[: 2 * HEADER_WITHIN]) if line.strip()] or [0]
    starts = (_first_row(lines[n:], delimiter)[1] for n in written[:HEADER_WITHIN])
    titles = find_header(starts, chosen)
    mark, header = _first_row(lines[written[titles] :], delimiter)
    names = _name_columns(header)
    return TextScan(digest.hexdigest(), found, guessed, mark, names, written[titles], titles)


def _first_row(lines: list[str], delimiter: str) -> tuple[str, list[str]]:
    """The delimiter of these lines, and the cells of the first."""
    body = "".join(lines)
    mark = _find_delimiter(body) if delimiter == "auto" else delimiter
    return mark, next(csv.reader(io.StringIO(body, newline=None), delimiter=mark), [])


class MisfitFound(Exception):
    """A row does not fit its header, and the file is being read without counting rows."""


def open_rows(
    path: Path, name: str, scan: TextScan, on_bad_row: Callable[[BadRow], None] | None
) -> Iterator[pa.RecordBatch]:
    """The data rows in file order, every cell text, blanks null.

    Rows that do not fit the header go to ``on_bad_row`` and leave a gap in the numbering
    (the caller numbers rows with ``BadRow.row``). Without it the file is read on all threads,
    which cannot count rows: the first such row raises MisfitFound, and so does one that is
    longer than a piece.
    """

    def handle(row: pa_csv.InvalidRow) -> str:
        if on_bad_row is None:
            return "error"
        number = row.number - 1 - scan.skip_lines
        on_bad_row(BadRow(number, row.actual_columns, row.expected_columns, str(row.text or "")))
        return "skip"

    stream = pa.input_stream(str(path), compression="gzip" if _is_gzip(path) else None)
    try:
        reader = pa_csv.open_csv(
            stream,
            pa_csv.ReadOptions(
                use_threads=on_bad_row is None,
                block_size=PIECE if on_bad_row is None else BLOCK,
                column_names=scan.header,
                skip_rows=scan.skip_lines,
                skip_rows_after_names=1,
                encoding=scan.encoding,
            ),
            pa_csv.ParseOptions(
                delimiter=scan.delimiter, newlines_in_values=True, invalid_row_handler=handle
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(scan.header, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        if on_bad_row is None:
            yield from _joined(reader, BLOCK // PIECE)
        else:
            yield from reader
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        if on_bad_row is None:
            raise MisfitFound from None
        raise ContractBreach(
            f"{name}: the file cannot be read as {scan.encoding} text with delimiter "
            f"{scan.delimiter!r}: {str(error).splitlines()[0]}.",
            "Check for an unclosed quote, or set etl.encoding and etl.delimiter.",
        ) from None
    except UnicodeDecodeError as error:
        raise ContractBreach(
            f"{name}: byte {error.start} is no {scan.encoding} text.", "Set etl.encoding."
        ) from None


def _joined(pieces: Iterable[pa.RecordBatch], count: int) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches: those that larger blocks of the file would make."""
    pieces = iter(pieces)
    while held := list(itertools.islice(pieces, count)):
        yield pa.concat_batches(held)


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _open_bytes(path: Path) -> IO[bytes]:
    handle: Any = gzip.open(path, "rb") if _is_gzip(path) else path.open("rb")  # noqa: SIM115
    return handle  # type: ignore[no-any-return]


def _find_encoding(path: Path, name: str, sample: bytes) -> tuple[str, bool]:
    """The encoding, and whether it was guessed because the bytes are no UTF-8."""
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", False
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", False
    for magic, what in MAGIC.items():
        if sample.startswith(magic):
            raise _binary(name, what)
    if b"\x00" in sample:
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        half = len(sample) // 2
        wide = "utf-16-le" if odd > even else "utf-16-be"
        if max(odd, even) > 0.4 * half and min(odd, even) < 0.05 * half:
            text = codecs.getincrementaldecoder(wide)("replace").decode(sample)
            if _readable(text):
                return wide, False
        raise _binary(name, "a binary file")
    if not _readable(sample.decode("latin-1")):
        raise _binary(name, "a binary file")
    if _is_utf8(path):
        return "utf-8", False
    # Five bytes have no meaning in cp1252; latin-1 takes any.
    undefined = bool(set(sample) & {0x81, 0x8D, 0x8F, 0x90, 0x9D})
    return ("latin-1" if undefined else "cp1252"), True


def _readable(text: str) -> bool:
    """Hardly any control characters: text, whatever it says."""
    controls = sum(character < " " and character not in "\t\r\n\x0b\x0c" for character in text)
    return controls <= 0.01 * len(text)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _open_bytes(path) as content:
        try:
            while block := content.read(1 << 22):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _binary(name: str, what: str) -> ContractBreach:
    return ContractBreach(
        f"{name}: this is {what}, not a text file.",
        "Save it as CSV, or give the file its right ending (.xlsx, .parquet, .gz).",
    )


def _decode_sample(sample: bytes, encoding: str, name: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(sample)
    except UnicodeDecodeError as error:
        raise ContractBreach(
            f"{name}: byte {error.start} is no {encoding} text.", "Set etl.encoding."
        ) from None


def _find_delimiter(text: str) -> str:
    """The candidate that cuts the first lines into most cells, evenly."""
    best, most = ",", 0.0
    for mark in DELIMITERS:
        rows = csv.reader(io.StringIO(text, newline=None), delimiter=mark)
        counts = [len(row) for row, _ in zip(rows, range(20), strict=False) if row]
        even = counts.count(counts[0]) / len(counts)
        score = (counts[0] - 1) * even
        if score > most:
            best, most = mark, score
    return best


def _name_columns(header: list[str]) -> list[str]:
    """Header cells without surrounding blanks; a blank one is named for its place."""
    return [cell.strip() or f"unnamed_{place}" for place, cell in enumerate(header, start=1)]
