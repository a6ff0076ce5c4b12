"""Both engines behind one face: reading, writing, order, odd paths, scratch."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gosales.checksum import parquet_batches, parquet_rows
from gosales.config import load_settings
from gosales.engine import open_engine
from gosales.errors import ConfigError
from tests.conftest import OpenRun

ROWS = pa.table({"n": [3, 1, 2], "t": ["c", None, "b"]})


def test_a_table_comes_back_as_it_was_written(
    run_in: OpenRun, engine_name: str, tmp_path: Path
) -> None:
    with run_in(**{"database.engine": engine_name}) as run:
        engine = run.engine
        table = engine.from_arrow(ROWS)
        path = tmp_path / "deep" / "out.parquet"
        engine.write_parquet(table.order_by("n"), path)
        assert path.is_dir() == (engine_name == "pyspark")
        assert parquet_rows(path) == 3
        written = pa.Table.from_batches(list(parquet_batches(path)))
        assert written.to_pylist() == ROWS.sort_by("n").to_pylist()
        back = engine.read_parquet(path)
        assert engine.to_arrow(back.order_by("n")).to_pylist() == ROWS.sort_by("n").to_pylist()
        both = engine.read_parquet(path, path)
        assert engine.scalar(both.count()) == 6


def test_batches_keep_the_order_and_hold_every_row(run_in: OpenRun, engine_name: str) -> None:
    with run_in(**{"database.engine": engine_name}) as run:
        table = run.engine.from_arrow(pa.table({"n": list(range(200_000))}))
        batches = list(run.engine.batches(table.order_by(ibis.desc("n"))))
        numbers = [n for batch in batches for n in batch.column("n").to_pylist()]
        assert numbers == list(range(199_999, -1, -1))


def test_a_path_with_odd_characters_is_a_path_and_no_pattern(
    run_in: OpenRun, engine_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "sales [2024] o'neill {a,b} 50%"
    with run_in(**{"database.engine": engine_name}) as run:
        path = folder / "out.parquet"
        run.engine.write_parquet(run.engine.from_arrow(ROWS), path)
        assert run.engine.scalar(run.engine.read_parquet(path).count()) == 3


def test_a_folder_of_parts_is_read_by_every_engine(
    run_in: OpenRun, engine_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "parts.parquet"
    folder.mkdir()
    for part in range(2):
        pq.write_table(ROWS, folder / f"part-{part}.parquet")
    with run_in(**{"database.engine": engine_name}) as run:
        assert run.engine.scalar(run.engine.read_parquet(folder).count()) == 6


def test_rows_keep_their_types_even_when_there_are_none(run_in: OpenRun, engine_name: str) -> None:
    schema = pa.schema({"money": pa.decimal128(18, 4), "day": pa.date32(), "text": pa.string()})
    with run_in(**{"database.engine": engine_name}) as run:
        empty = run.engine.from_rows([], schema)
        assert run.engine.scalar(empty.count()) == 0
        one = run.engine.from_rows([{"money": Decimal("1.5"), "day": None, "text": "x"}], schema)
        assert run.engine.to_arrow(one.select("money"))["money"].to_pylist() == [Decimal("1.5000")]
        assert empty.schema() == one.schema()


def test_a_cached_table_is_computed_once(run_in: OpenRun, engine_name: str) -> None:
    with run_in(**{"database.engine": engine_name}) as run:
        table = run.engine.cache(run.engine.from_arrow(ROWS).mutate(r=ibis.random()))
        first, second = (run.engine.to_arrow(table.order_by("n")) for _ in range(2))
        assert first.equals(second)


def test_scratch_files_go_when_the_engine_closes(tmp_path: Path) -> None:
    settings = load_settings(tmp_path).settings.database
    with open_engine(settings, tmp_path / "scratch") as engine:
        engine.from_arrow(ROWS)
        assert list((tmp_path / "scratch").rglob("*.parquet"))
    assert not list((tmp_path / "scratch").iterdir())


def test_threads_and_memory_are_those_of_the_settings(tmp_path: Path) -> None:
    flags = {"database.threads": 1, "database.memory_limit": "512MB"}
    with open_engine(load_settings(tmp_path, flags=flags).settings.database) as engine:
        assert engine.threads == 1


OPENED = """
import sys
from pathlib import Path
from gosales.config import load_settings
from gosales.engine import open_engine
with open_engine(load_settings(Path()).settings.database) as engine:
    engine.backend
found = sorted(name for name in sys.modules if name.startswith("ibis.backends.sql.compilers."))
assert "ibis.backends.sql.compilers.duckdb" in found, found
assert "ibis.backends.sql.compilers.mssql" not in found, found
import ibis.backends.sql.compilers as compilers
from ibis.backends.sql.compilers import MSSQLCompiler
assert MSSQLCompiler is compilers.mssql.MSSQLCompiler
assert not hasattr(compilers, "no_such_compiler")
import ibis
assert "TOP 1" in ibis.to_sql(ibis.table({"a": "int64"}, name="t").limit(1), dialect="mssql")
"""


def test_opening_imports_one_compiler_and_the_others_can_still_be_had(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", OPENED], cwd=tmp_path, check=True)


def test_an_unknown_engine_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"database\.engine"):
        load_settings(tmp_path, flags={"database.engine": "oracle"})
