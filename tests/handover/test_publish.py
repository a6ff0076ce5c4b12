"""Publishing into a real PostgreSQL and DuckDB."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from gosales.errors import ConfigError, MissingArtifact, UsageError
from gosales.handover import publish
from gosales.handover.database import Database
from gosales.handover.publish import OWNED
from tests.conftest import Gosales, OpenRun
from tests.handover.conftest import write_list
from tests.whitespace.lists import write_scores

BOTH = pytest.mark.parametrize("database", ["duckdb", "postgres"], indirect=True)
TABLES = {
    "fact_transactions", "dim_customer", "dim_product", "dim_date", "icp_scores", "whitespace",
    "whitespace_matrix",
}  # fmt: skip


def read(url: str, table: str, schema: str = "gosales") -> list[dict[str, Any]]:
    backend = ibis.connect(url)
    try:
        found: list[dict[str, Any]] = backend.table(table, database=schema).to_pyarrow().to_pylist()
        return found
    finally:
        backend.disconnect()


def tables(url: str, schema: str = "gosales") -> set[str]:
    database = Database(url, schema)
    try:
        return set(database.tables())
    finally:
        database.close()


def execute(url: str, statement: str) -> None:
    backend = ibis.connect(url)
    backend.raw_sql(statement)
    backend.disconnect()


def sorted_rows(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


@BOTH
def test_every_table_arrives_as_it_is(run_in: OpenRun, database: str) -> None:
    with run_in() as run:
        write_list(run)
        report = publish(run, database)
        assert set(report.tables) == TABLES and report.in_one_transaction
        assert tables(database) == TABLES | {OWNED}
        for name, path in {
            "fact_transactions": run.workspace.fact,
            "icp_scores": run.workspace.output("icp_scores.parquet"),
            "whitespace": run.workspace.output("whitespace.parquet"),
        }.items():
            expected = pq.read_table(path).to_pylist()
            assert sorted_rows(read(database, name)) == sorted_rows(expected)
            assert report.tables[name] == len(expected)
    (first,) = [r for r in read(database, "dim_customer") if r["customer_id"] == "k00"]
    assert first["industry"].replace("\x00", "") == '=Steel, "old"'
    marks = {row["table_name"]: row["rows"] for row in read(database, OWNED)}
    assert marks == report.tables


@BOTH
def test_publishing_again_replaces_only_what_is_ours(run_in: OpenRun, database: str) -> None:
    with run_in() as run:
        write_list(run)
        publish(run, database)
        execute(database, "create table gosales.notes (text varchar)")
        execute(database, "insert into gosales.notes values ('mine')")
        write_list(run, customers=12)
        run.workspace.output("whitespace_matrix.parquet").unlink()
        with run.commit("matrix") as change:
            change.remove(run.workspace.output("whitespace_matrix.parquet"))
        report = publish(run, database)
    assert report.removed == ("whitespace_matrix",)
    assert tables(database) == (TABLES - {"whitespace_matrix"}) | {OWNED, "notes"}
    assert len(read(database, "dim_customer")) == 12
    assert read(database, "notes") == [{"text": "mine"}]


@BOTH
@pytest.mark.parametrize("at", ["load", "rename"])
def test_a_failure_half_way_leaves_the_old_tables_readable(
    run_in: OpenRun, database: str, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_in() as run:
        write_list(run)
        publish(run, database)
        before = {name: sorted_rows(read(database, name)) for name in (*TABLES, OWNED)}
        write_list(run, customers=12)
        plain, calls = getattr(Database, at), []

        def failing(self: Database, *args: Any) -> Any:
            calls.append(args)
            if len(calls) == 4:
                raise OSError("the wire was cut")
            return plain(self, *args)

        monkeypatch.setattr(Database, at, failing)
        with pytest.raises(ConfigError, match=r"as they were\. the wire was cut"):
            publish(run, database)
        assert {name: sorted_rows(read(database, name)) for name in before} == before
        assert tables(database) == TABLES | {OWNED}
        monkeypatch.undo()
        publish(run, database)
    assert len(read(database, "dim_customer")) == 12


@BOTH
def test_a_table_that_is_not_ours_is_never_touched(run_in: OpenRun, database: str) -> None:
    execute(database, "create schema gosales")
    execute(database, "create table gosales.whitespace (mine integer)")
    with run_in() as run:
        write_list(run)
        with pytest.raises(ConfigError, match=r"gosales\.whitespace exists and was not made by"):
            publish(run, database)
        assert tables(database) == {"whitespace"}
        assert publish(run, database, schema="sales_ai").schema == "sales_ai"
    execute(database, "drop schema sales_ai cascade")


def test_a_failure_names_the_database_and_shows_no_password(
    run_in: OpenRun, monkeypatch: pytest.MonkeyPatch, gosales: Gosales
) -> None:
    with run_in() as run:
        with pytest.raises(MissingArtifact, match="gosales star"):
            publish(run, "duckdb:///x.duckdb")
        write_list(run)
        with pytest.raises(ConfigError, match="holds a password"):
            publish(run, "postgres://ann:hunter2@localhost/db")
        with pytest.raises(UsageError, match="cannot be the schema"):
            publish(run, "duckdb:///x.duckdb", schema="a; drop")
        with pytest.raises(ConfigError, match="SQLite has no schema"):
            publish(run, "sqlite:///x.sqlite")
        monkeypatch.setenv("PG_SECRET", "hunter2")
        with pytest.raises(ConfigError, match=r"postgres://localhost:1/db: cannot be opened") as e:
            publish(run, "postgres://ann:${PG_SECRET}@localhost:1/db")
        assert "hunter2" not in str(e.value)
        root = run.workspace.root
        write_scores(run, [("k00", "Beta", 0.1, 1.0, 1.0)])
    called = gosales("publish", "--workspace", root, "--to", f"duckdb:///{root}/o.duckdb")
    assert called.code == 4 and "whitespace.parquet was made from an earlier" in called.err
