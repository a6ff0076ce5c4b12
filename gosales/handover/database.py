"""A database that is written to: one transaction, our own tables only.

Everything goes through Ibis and its SQL generator, so a database that Ibis opens can be written
to. What differs is declared here: how a transaction is opened, and PostgreSQL's bulk load.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import sqlglot.expressions as sge

from gosales.errors import ConfigError

__all__ = ["Database"]

# Databases whose tables can be made and dropped inside a transaction, by Ibis's names.
TRANSACTIONAL = {"postgres", "duckdb", "mssql"}


class Database:
    """An open database and the schema that GoSales owns in it."""

    def __init__(self, url: str, schema: str) -> None:
        if url.partition(":")[0] == "sqlite":
            raise ConfigError(
                "SQLite has no schema that could be ours alone.",
                "Publish to PostgreSQL, DuckDB, SQL Server or Snowflake.",
            )
        self._backend: Any = ibis.connect(url)
        self.schema = schema

    @property
    def transactional(self) -> bool:
        return self._backend.name in TRANSACTIONAL

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, where the database can."""
        if not self.transactional:
            yield
        elif hasattr(self._backend.con, "transaction"):
            # What Ibis does inside becomes a savepoint of this one.
            with self._backend.con.transaction():
                yield
        else:
            self._run(sge.Transaction())
            try:
                yield
            except BaseException:
                self._run(sge.Rollback())
                raise
            self._run(sge.Commit())

    def make_schema(self) -> None:
        """Make the schema unless it is there (with ``force`` Ibis would replace DuckDB's)."""
        if self.schema not in self._named_in("schemata", "schema_name", "schema_name"):
            self._backend.create_database(self.schema)

    def tables(self) -> list[str]:
        """The tables of the schema; none when it does not exist."""
        return self._named_in("tables", "table_name", "table_schema")

    def _named_in(self, view: str, column: str, owner: str) -> list[str]:
        """What the standard catalog lists for the schema.

        Not list_tables: Ibis 12 asks DuckDB 2 for it by a method that is gone.
        """
        known = self._backend.table(view, database="information_schema").rename(str.lower)
        mine = known.filter(known[owner].lower() == self.schema)
        return sorted(mine.select(column).to_pyarrow().column(column).to_pylist())

    def rows(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self._backend.table(table, database=self.schema).to_pyarrow().to_pylist()
        )
        return found

    def count(self, table: str) -> int:
        return int(self._backend.table(table, database=self.schema).count().to_pyarrow().as_py())

    def load(self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        """Make a table and fill it; returns the rows."""
        # A column without any value may have no type; any database knows text.
        known = pa.schema(
            [(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in schema]
        )
        columns = ibis.Schema.from_pyarrow(known)
        self._backend.create_table(table, schema=columns, database=self.schema)
        rows = 0
        for batch in (part.cast(known) for part in batches):
            rows += batch.num_rows
            if self._backend.name == "postgres":
                self._copy(table, batch)
            else:
                part = ibis.memtable(pa.Table.from_batches([batch]))
                self._backend.insert(table, part, database=self.schema)
        return rows

    def drop(self, table: str) -> None:
        self._backend.drop_table(table, database=self.schema, force=True)

    def rename(self, table: str, name: str) -> None:
        self._run(
            sge.Alter(
                this=self._named(table),
                kind="TABLE",
                actions=[sge.AlterRename(this=sge.table_(name, quoted=True))],
            )
        )

    def close(self) -> None:
        self._backend.disconnect()

    def _named(self, table: str) -> sge.Table:
        return sge.table_(table, db=self.schema, quoted=True)

    def _run(self, statement: sge.Expression) -> None:
        self._backend.raw_sql(statement.sql(self._backend.dialect))

    def _copy(self, table: str, batch: pa.RecordBatch) -> None:
        """PostgreSQL's own bulk load: row by row, a large table would take hours."""
        target = self._named(table).sql(self._backend.dialect)
        content = io.BytesIO()
        # Arrow quotes every text and leaves nulls bare, which is how COPY tells them apart.
        pa_csv.write_csv(_plain(batch), content, pa_csv.WriteOptions(include_header=False))
        with self._backend.con.cursor() as cursor, cursor.copy(
            f"COPY {target} FROM STDIN (FORMAT CSV)"
        ) as copy:  # fmt: skip
            copy.write(content.getvalue())


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without the NUL characters that PostgreSQL's text cannot hold."""
    columns = [
        pc.replace_substring(column, "\x00", "") if pa.types.is_string(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
