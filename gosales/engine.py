"""Opens DuckDB or Spark as an Ibis backend; the only file that knows which one it is.

Everything set-based is an Ibis expression and runs on either. What the two do differently
lives here: opening, reading and writing parquet (one file from DuckDB, a folder from Spark),
and intermediate results (scratch parquet, so that memory stays bounded on both).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.checksum import parquet_batches, parquet_files
from gosales.errors import MissingExtraError, UsageError
from gosales.settings import DatabaseSettings

# Ibis takes as long to import as a small log to read: it is imported where it is first used.
if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["MONEY", "Engine", "copy_external", "open_embedded", "open_engine"]

MONEY = "decimal(18, 4)"
ROW_GROUP = 122_880


class Engine:
    """An Ibis backend with a scratch folder; close it, or use it in a ``with``."""

    name: str
    _opened: Callable[[], Any]

    def __init__(self, settings: DatabaseSettings, scratch: Path | None = None) -> None:
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix="engine-", dir=scratch))
        self._tables = 0
        self.threads = settings.threads or os.cpu_count() or 1
        self._open(settings)

    def _open(self, settings: DatabaseSettings) -> None:
        raise TypeError("open_engine chooses the engine")

    @property
    def backend(self) -> Any:
        """The Ibis backend; waits until it is open."""
        return self._opened()

    def read_parquet(self, *paths: Path) -> ir.Table:
        """A parquet artifact, a file or a folder of part files, as a table."""
        raise TypeError("open_engine chooses the engine")

    def write_parquet(self, expr: ir.Table, path: Path) -> None:
        """Write the rows in the expression's order to ``path``."""
        raise TypeError("open_engine chooses the engine")

    def batches(self, expr: ir.Table) -> Iterator[pa.RecordBatch]:
        """The rows in the expression's order, in Arrow batches; memory is bounded."""
        path = self._next_scratch()
        self.write_parquet(expr, path)
        yield from parquet_batches(path)

    def to_arrow(self, expr: ir.Table) -> pa.Table:
        """All rows in memory: for models, screens and small results only."""
        table: pa.Table = self.backend.to_pyarrow(expr)
        return table

    def scalar(self, expr: ir.Scalar) -> Any:
        return self.to_arrow(expr.as_table())[0][0].as_py()

    def cache(self, expr: ir.Table, *, ordered: bool = True) -> ir.Table:
        """Compute once, keep on disk, and go on from the result.

        A large result whose rows need not stay in order is written by all threads at once.
        """
        path = self._next_scratch()
        with self._any_order() if not ordered else nullcontext():
            self.write_parquet(expr, path)
        return self.read_parquet(path)

    def _any_order(self) -> AbstractContextManager[None]:
        """Within it, rows may be written in any order."""
        return nullcontext()

    def from_arrow(self, table: pa.Table) -> ir.Table:
        """A small Arrow table as a table of the engine."""
        path = self._next_scratch()
        pq.write_table(table, path)
        return self.read_parquet(path)

    def from_tables(self, schema: pa.Schema, tables: Iterable[pa.Table]) -> ir.Table:
        """Arrow tables that are made one by one, as one table of the engine."""
        path = self._next_scratch()
        with pq.ParquetWriter(path, schema) as writer:
            for table in tables:
                writer.write_table(table)
        return self.read_parquet(path)

    def from_rows(self, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> ir.Table:
        return self.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))

    def _next_scratch(self) -> Path:
        self._tables += 1
        return self._scratch / f"t{self._tables:04d}.parquet"

    def close(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)


class DuckDBEngine(Engine):
    name = "duckdb"

    def _open(self, settings: DatabaseSettings) -> None:
        _forgo_pandas()

        def connect() -> Any:
            _forgo_dialects()
            from ibis.backends.duckdb import Backend

            return Backend().connect(
                threads=self.threads,
                memory_limit=settings.memory_limit,
                temp_directory=str(self._scratch / "spill"),
            )

        # Opening is mostly imports, during which the first files can be read.
        self._opened = ThreadPoolExecutor(1).submit(connect).result

    def read_parquet(self, *paths: Path) -> ir.Table:
        # Listed here: in a pattern, brackets in a folder's name would mean something.
        files = [str(file) for path in paths for file in parquet_files(path)]
        table: ir.Table = self.backend.read_parquet(files if len(files) > 1 else files[0])
        return table

    @contextmanager
    def _any_order(self) -> Iterator[None]:
        self.backend.settings["preserve_insertion_order"] = False
        try:
            yield
        finally:
            self.backend.settings["preserve_insertion_order"] = True

    def to_arrow(self, expr: ir.Table) -> pa.Table:
        # As backend.to_pyarrow, but without the pandas that it imports.
        found = self.backend.con.sql(self.backend.compile(expr)).to_arrow_table()
        table: pa.Table = expr.__pyarrow_result__(found)
        return table

    def write_parquet(self, expr: ir.Table, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.backend.to_parquet(expr, path, row_group_size=ROW_GROUP)

    def close(self) -> None:
        self.backend.disconnect()
        super().close()


class _NoPandas:
    """A finder in whose presence pandas cannot be imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _forgo_pandas() -> None:
    """Let pyarrow do without pandas, which it imports with the first Python value it is given.

    That takes half a second, and we use none of it. Who wants it can still import it.
    """
    if "pandas" not in sys.modules:
        finder: Any = _NoPandas()
        sys.meta_path.insert(0, finder)
        try:
            pa.scalar(0)
        finally:
            sys.meta_path.remove(finder)


def _forgo_dialects() -> None:
    """Let ibis import the compiler of the one engine that is asked for.

    Its package of compilers imports all twenty, with as many dialects of sqlglot: half of the
    time that opening takes. In its place stands a module that finds each as it is asked for.
    """
    name = "ibis.backends.sql.compilers"
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    package: Any = importlib.util.module_from_spec(spec)
    execute = spec.loader.exec_module

    def find(attribute: str) -> Any:
        try:
            return importlib.import_module(f"{name}.{attribute}")
        except ModuleNotFoundError:
            # A class's name, as the package exports them: it has to be imported as a whole.
            del package.__getattr__
            execute(package)
            return getattr(package, attribute)

    package.__getattr__ = find
    sys.modules[name] = sys.modules["ibis.backends.sql"].compilers = package  # type: ignore[attr-defined]


class SparkEngine(Engine):
    name = "pyspark"

    def _open(self, settings: DatabaseSettings) -> None:
        import ibis

        session = _spark_session(settings, self.threads)
        backend = ibis.pyspark.connect(session)
        self._opened = lambda: backend
        self._session = session

    def read_parquet(self, *paths: Path) -> ir.Table:
        self._tables += 1
        # Spark takes every path for a pattern.
        escaped = [re.sub(r"([\[\]{}*?\\])", r"\\\1", str(path)) for path in paths]
        frame = self._session.read.parquet(*escaped)
        view = f"gosales_{os.getpid()}_{id(self)}_{self._tables}"
        frame.createOrReplaceTempView(view)
        table: ir.Table = self.backend.table(view)
        return table

    def write_parquet(self, expr: ir.Table, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._session.sql(self.backend.compile(expr)).write.mode("overwrite").parquet(str(path))
        for extra in (path / "_SUCCESS", *path.glob("*.crc"), *path.glob(".*.crc")):
            extra.unlink(missing_ok=True)


def _spark_session(settings: DatabaseSettings, threads: int) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError("spark", "database.engine: pyspark") from None
    builder = (
        SparkSession.builder.appName("gosales")
        .master(f"local[{threads}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.shuffle.partitions", str(2 * threads))
    )
    for key, value in settings.spark.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # the Java gateway raises several unrelated kinds
        raise UsageError(
            f"Spark did not start: {str(error).splitlines()[0]}",
            "It needs a full Java 17, found through JAVA_HOME or the PATH.",
        ) from error


def copy_external(url: str, table: str | None, query: str | None, path: Path) -> None:
    """Copy a table or a query of some other database to parquet.

    A database keeps no order of rows: the columns give one, so that row numbers mean something.
    Raises what the database's driver raises, ImportError when the driver is missing.
    """
    import ibis

    backend: Any = ibis.connect(url)
    if table is not None:
        found = backend.table(table)
    elif backend.name == "duckdb":
        # ibis 12 asks for the query's columns in a way that DuckDB 2 no longer answers.
        backend.raw_sql(f"create temporary view gosales_source as {query}")
        found = backend.table("gosales_source")
    else:
        found = backend.sql(query)
    backend.to_parquet(found.order_by(found.columns), path)
    backend.disconnect()


@contextmanager
def open_engine(settings: DatabaseSettings, scratch: Path | None = None) -> Iterator[Engine]:
    """Open the engine that the settings name; scratch files go below ``scratch``."""
    kind = SparkEngine if settings.engine == "pyspark" else DuckDBEngine
    engine = kind(settings, scratch)
    try:
        yield engine
    finally:
        engine.close()


def open_embedded(settings: DatabaseSettings) -> Engine:
    """The embedded engine, whatever the settings name, for readers of finished artifacts.

    Its scratch files stay out of the workspace, where the next run sweeps. Close it after use.
    """
    return DuckDBEngine(settings)
