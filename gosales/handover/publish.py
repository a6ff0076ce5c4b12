"""The stage: the star, the scores and the whitespace into a database.

Tables are loaded beside the old ones and take their places at the end, in one transaction where
the database has them: a failure leaves the old tables as they were. The table ``gosales_owned``
lists what is ours; a table of the schema that it does not list is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gosales.artifacts import entry, require
from gosales.checksum import parquet_batches, parquet_files
from gosales.errors import ConfigError, GoSalesError, MissingExtraError, UsageError
from gosales.etl.sources import resolve_url
from gosales.handover.database import Database
from gosales.run import Run
from gosales.workspace import Workspace

__all__ = ["OWNED", "PublishReport", "publish"]

OWNED, NEW = "gosales_owned", "gosales_new__"
MARK = pa.schema(
    {"table_name": pa.string(), "rows": pa.int64(), "sha256": pa.string(), "run_id": pa.string()}
)


@dataclass(frozen=True)
class PublishReport:
    """Rows of each table that is there now, and the tables of ours that are gone."""

    target: str
    schema: str
    tables: dict[str, int]
    removed: tuple[str, ...]
    in_one_transaction: bool


def publish(run: Run, url: str, schema: str = "gosales") -> PublishReport:
    """Write every published table to the database at ``url`` (secrets as ``${NAME}``).

    Raises MissingArtifact when something to publish was not made, ConfigError when the database
    cannot be reached or holds a table of one of our names that is not ours.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,40}", schema):
        raise UsageError(
            f"'{schema}' cannot be the schema.", "Use lower-case letters, digits and _."
        )
    artifacts = _artifacts(run.workspace)
    shown, secret = resolve_url(url)
    with run.step("publish", total=len(artifacts)) as step:
        database = _open(shown, secret, schema)
        try:
            report = _replace(run, database, shown, artifacts)
        except GoSalesError:
            raise
        except Exception as error:  # each driver raises kinds of its own
            raise ConfigError(
                f"{shown}: publishing failed; the tables are as they were. {_first_line(error)}",
                "Correct what the database says and publish again.",
            ) from error
        finally:
            database.close()
        step.rows = sum(report.tables.values())
    return report


def _artifacts(place: Workspace) -> dict[str, Path]:
    """Table name -> artifact. The matrix goes along when it was made."""
    found = {
        "fact_transactions": require(place, place.fact, "gosales star"),
        **{
            f"dim_{name}": require(place, place.dim(name), "gosales star")
            for name in ("customer", "product", "date")
        },
        "icp_scores": require(place, place.output("icp_scores.parquet"), "gosales score"),
        "whitespace": require(place, place.output("whitespace.parquet"), "gosales whitespace"),
    }
    matrix = place.output("whitespace_matrix.parquet")
    if entry(place, matrix) is not None:
        found["whitespace_matrix"] = require(place, matrix, "gosales matrix")
    return found


def _open(shown: str, secret: str, schema: str) -> Database:
    try:
        return Database(secret, schema)
    except GoSalesError:
        raise
    except ImportError as error:
        raise MissingExtraError("db", f"Publishing to {shown} (module {error.name})") from None
    except Exception as error:  # each driver raises kinds of its own
        raise ConfigError(
            f"{shown}: cannot be opened: {_first_line(error)}",
            "Check the URL and the credentials in the environment.",
        ) from error


def _replace(run: Run, database: Database, shown: str, artifacts: dict[str, Path]) -> PublishReport:
    with database.transaction():
        database.make_schema()
        there = database.tables()
        owned = _owned(database, shown, there)
        foreign = sorted(set(artifacts) & set(there) - owned)
        if foreign:
            raise ConfigError(
                f"{shown}: {database.schema}.{foreign[0]} exists and was not made by GoSales.",
                "Choose another schema with --schema.",
            )
        for table in there:
            if table.startswith(NEW):  # left by a run that failed where there is no transaction
                database.drop(table)
        tables = {name: _load(database, name, path) for name, path in artifacts.items()}
        _load_marks(run, database, artifacts, tables)
        for name in (*artifacts, OWNED):
            if name in there:
                database.drop(name)
            database.rename(f"{NEW}{name}", name)
        gone = tuple(sorted(owned & set(there) - set(artifacts)))
        for name in gone:
            database.drop(name)
    return PublishReport(shown, database.schema, tables, gone, database.transactional)


def _owned(database: Database, shown: str, there: list[str]) -> set[str]:
    if OWNED not in there:
        return set()
    marks = database.rows(OWNED)
    if any("table_name" not in mark or "sha256" not in mark for mark in marks):
        raise ConfigError(
            f"{shown}: {database.schema}.{OWNED} exists and was not made by GoSales.",
            "Choose another schema with --schema.",
        )
    return {str(mark["table_name"]) for mark in marks}


def _load(database: Database, name: str, path: Path) -> int:
    schema = pq.read_schema(parquet_files(path)[0])
    rows = database.load(f"{NEW}{name}", schema, _batches(path, schema))
    found = database.count(f"{NEW}{name}")
    if found != rows:
        raise RuntimeError(f"{name}: {rows} rows were sent and {found} arrived")
    return rows


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in parquet_batches(path):
        yield batch.select(schema.names)


def _load_marks(
    run: Run, database: Database, artifacts: dict[str, Path], tables: dict[str, int]
) -> None:
    marks = []
    for name, path in artifacts.items():
        known = entry(run.workspace, path)
        marks.append(
            {
                "table_name": name,
                "rows": tables[name],
                "sha256": known.sha256 if known else "",
                "run_id": run.run_id,
            }
        )
    batch = pa.RecordBatch.from_pylist(marks, MARK)
    database.load(f"{NEW}{OWNED}", MARK, [batch])


def _first_line(error: Exception) -> str:
    text = str(error).splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".") + "."
