"""Checksums depend on the values and their order, on nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosales import checksum
from gosales.checksum import content_sha256, file_sha256, parquet_batches, parquet_rows
from tests.conftest import OpenRun

SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "money": pa.decimal128(18, 4),
        "count": pa.int64(),
        "share": pa.float64(),
        "flag": pa.bool_(),
        "day": pa.date32(),
    }
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=5),
            "money": st.none() | st.decimals(-(10**9), 10**9, places=4),
            "count": st.none() | st.integers(-(2**40), 2**40),
            "share": st.none() | st.floats(allow_nan=False, width=64),
            "flag": st.none() | st.booleans(),
            "day": st.none() | st.dates(),
        }
    ),
    max_size=40,
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def whole(rows: pa.Table) -> str:
    return content_sha256(rows.to_batches())


@given(ROWS, st.integers(1, 7), st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_the_sizes_of_batches_and_slices_do_not_matter(
    rows: list[dict[str, Any]], first: int, second: int
) -> None:
    made = table(rows)
    held, checksum.SLICE = checksum.SLICE, 5
    try:
        sums = {content_sha256(made.to_batches(max_chunksize=size)) for size in (first, second, 50)}
    finally:
        checksum.SLICE = held
    assert len(sums) == 1


@given(ROWS, ROWS)
@settings(deadline=None, max_examples=60)
def test_other_values_give_another_checksum(
    one: list[dict[str, Any]], two: list[dict[str, Any]]
) -> None:
    same = table(one).equals(table(two))
    assert (whole(table(one)) == whole(table(two))) == same


def row(**values: Any) -> dict[str, Any]:
    base = {
        "text": "a", "money": Decimal("1.5000"), "count": 1, "share": 0.5, "flag": True,
        "day": dt.date(2024, 6, 30),
    }  # fmt: skip
    return base | values


@pytest.mark.parametrize(
    "changed",
    [
        {"text": None}, {"text": ""}, {"text": "b"}, {"money": Decimal("1.5001")},
        {"money": None}, {"count": 0}, {"count": None}, {"share": None}, {"share": 0.0},
        {"flag": False}, {"flag": None}, {"day": dt.date(2024, 7, 1)}, {"day": None},
    ],
)  # fmt: skip
def test_each_changed_cell_changes_the_checksum(changed: dict[str, Any]) -> None:
    assert whole(table([row(), row(**changed)])) != whole(table([row(), row()]))


def test_text_cannot_move_from_one_cell_to_the_next_unseen() -> None:
    assert whole(pa.table({"a": ["x", "yz"]})) != whole(pa.table({"a": ["xy", "z"]}))
    assert whole(pa.table({"a": ["x"], "b": [""]})) != whole(pa.table({"a": [""], "b": ["x"]}))


def test_order_and_column_names_count() -> None:
    assert whole(pa.table({"a": [1, 2]})) != whole(pa.table({"a": [2, 1]}))
    assert whole(pa.table({"a": [1]})) != whole(pa.table({"b": [1]}))


def test_encodings_and_widths_do_not_count() -> None:
    plain = pa.table({"t": pa.array(["x", None, "x"]), "n": pa.array([1, 2, None], pa.int64())})
    other = pa.table(
        {
            "t": pa.array(["x", None, "x"], pa.large_string()),
            "n": pa.array([1, 2, None], pa.int32()),
        }
    )
    coded = plain.set_column(0, "t", plain["t"].combine_chunks().dictionary_encode())
    assert whole(plain) == whole(other) == whole(coded)
    minus, plus = pa.table({"z": [-0.0]}), pa.table({"z": [0.0]})
    assert whole(minus) == whole(plus)


def test_a_slice_of_a_table_has_the_checksum_of_its_rows() -> None:
    made = table([row(text=str(n), count=n, flag=n % 3 == 0) for n in range(20)])
    assert whole(made.slice(7, 6)) == whole(table(made.slice(7, 6).to_pylist()))


def test_a_file_and_a_folder_of_parts_have_one_content(tmp_path: Path) -> None:
    made = table([row(text=str(n), count=n) for n in range(30)])
    pq.write_table(made, tmp_path / "one.parquet", row_group_size=7)
    folder = tmp_path / "many.parquet"
    folder.mkdir()
    for part, start in enumerate((0, 11, 25)):
        stop = (11, 25, 30)[part]
        pq.write_table(made.slice(start, stop - start), folder / f"part-{part:05d}.parquet")
    one, many = tmp_path / "one.parquet", folder
    assert content_sha256(parquet_batches(one)) == content_sha256(parquet_batches(many))
    assert parquet_rows(one) == parquet_rows(many) == 30
    assert file_sha256(one) != file_sha256(many)


def test_an_empty_table_has_one_checksum_however_it_is_stored(tmp_path: Path) -> None:
    empty = table([])
    pq.write_table(empty, tmp_path / "empty.parquet")
    stored = content_sha256(parquet_batches(tmp_path / "empty.parquet"))
    batch = pa.RecordBatch.from_pylist([], schema=SCHEMA)
    assert stored == content_sha256([]) == content_sha256([batch]) != whole(table([row()]))


def test_columns_can_be_left_out(tmp_path: Path) -> None:
    one = pa.table({"a": [1, 2], "source_row": [1, 2]})
    two = pa.table({"a": [1, 2], "source_row": [5, 6]})
    assert whole(one) != whole(two)
    assert content_sha256(one.to_batches(), ["a"]) == content_sha256(two.to_batches(), ["a"])


def test_every_engine_gives_the_same_checksum(run_in: OpenRun, engine_name: str) -> None:
    made = table([row(text=f"né{n}", count=n, flag=None if n % 5 else True) for n in range(40)])
    with run_in(**{"database.engine": engine_name}) as run:
        ordered = run.engine.from_arrow(made).order_by("count")
        assert content_sha256(run.engine.batches(ordered)) == whole(made)
        path = run.workspace.data / "made.parquet"
        run.engine.write_parquet(ordered, path)
        assert content_sha256(parquet_batches(path)) == whole(made)
