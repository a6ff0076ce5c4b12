"""Fixtures that the whole suite shares: a workspace, a run on each engine, a star from rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gosales.config import load_settings
from gosales.etl.star import SCHEMA_VERSION
from gosales.run import Run, open_run
from gosales.workspace import Workspace
from tests.demo_run import shared_demo

MONEY = pa.decimal128(18, 4)
FACT_SCHEMA = pa.schema(
    {
        "transaction_id": pa.string(),
        "customer_id": pa.string(),
        "order_date": pa.date32(),
        "invoice_id": pa.string(),
        "product_sku": pa.string(),
        "product_division": pa.string(),
        "quantity": MONEY,
        "revenue": MONEY,
        "gross_profit": MONEY,
        "is_return": pa.bool_(),
        "region": pa.string(),
        "rep": pa.string(),
        "order_type": pa.string(),
        "source_file": pa.string(),
        "source_row": pa.int64(),
    }
)


def spark_missing() -> str | None:
    """Why Spark cannot run here, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "the extra 'spark' is not installed"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "no Java"
    return None


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GOSALES_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of ``gosales demo``, with the default settings; for reading only."""
    return shared_demo(tmp_path_factory)


@pytest.fixture(params=["duckdb", pytest.param("pyspark", marks=pytest.mark.spark)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Every test that asks for this runs once an engine."""
    if request.param == "pyspark" and (why := spark_missing()):
        pytest.skip(why)
    return str(request.param)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


OpenRun = Callable[..., AbstractContextManager[Run]]


@pytest.fixture
def run_in(workspace: Workspace) -> OpenRun:
    """``with run_in(**{"database.engine": name}) as run``: a run of the test's workspace."""

    def opener(where: Workspace | None = None, **flags: Any) -> AbstractContextManager[Run]:
        place = where or workspace
        return open_run(place, load_settings(place.root, flags=flags), "test")

    return opener


@pytest.fixture
def run(run_in: OpenRun) -> Iterator[Run]:
    with run_in() as opened:
        yield opened


def fact(
    customer: str, day: dt.date | str, division: str, gp: float | str, **more: Any
) -> dict[str, Any]:
    """One order line for a star made by hand; money is exact."""
    when = dt.date.fromisoformat(day) if isinstance(day, str) else day
    quantity = Decimal(str(more.pop("quantity", 1)))
    profit = Decimal(str(gp))
    row: dict[str, Any] = {
        "customer_id": customer,
        "order_date": when,
        "product_division": division,
        "product_sku": f"{division}-1",
        "invoice_id": f"{customer}-{when}",
        "quantity": quantity,
        "gross_profit": profit,
        "is_return": profit < 0 or quantity < 0,
    }
    return row | more


def write_star(
    run: Run,
    rows: list[dict[str, Any]],
    attributes: list[dict[str, Any]] | None = None,
    shuffle: int | None = None,
) -> None:
    """A curated star from order lines made by ``fact``, registered like a built one.

    The same lines in another order make the same star; with ``shuffle``, a seed, the rows of its
    tables are out of order.
    """
    rows = sorted(rows, key=lambda r: (r["customer_id"], r["order_date"], str(r)))
    numbered = [
        {"transaction_id": f"t{n:06d}", "source_file": "made", "source_row": n + 1} | r
        for n, r in enumerate(rows)
    ]
    facts = pa.Table.from_pylist(
        [{name: row.get(name) for name in FACT_SCHEMA.names} for row in numbered], FACT_SCHEMA
    )
    extra = {row["customer_id"]: row for row in attributes or []}
    names = sorted({key for row in extra.values() for key in row} - {"customer_id"})
    customers = []
    for key in sorted({row["customer_id"] for row in rows}):
        own = [row for row in rows if row["customer_id"] == key]
        customers.append(
            {
                "customer_id": key,
                "customer_name": f"Customer {key}",
                "customer_name_key": f"customer {key}",
            }
            | {name: extra.get(key, {}).get(name) for name in names}
            | {
                "enrichment_match": "id" if key in extra else "none",
                "enrichment_score": 100.0 if key in extra else 0.0,
                "first_order_date": min(row["order_date"] for row in own),
                "last_order_date": max(row["order_date"] for row in own),
                "orders": len({row["invoice_id"] or row["order_date"] for row in own}),
                "gross_profit": sum(row["gross_profit"] for row in own),
            }
        )
    products = {}
    for row in rows:
        old = products.get(row["product_sku"])
        products[row["product_sku"]] = {
            "product_sku": row["product_sku"],
            "product_division": row["product_division"],
            "description": None,
            "first_sold": min(row["order_date"], old["first_sold"]) if old else row["order_date"],
            "last_sold": max(row["order_date"], old["last_sold"]) if old else row["order_date"],
        }
    about = {
        "schema_version": SCHEMA_VERSION,
        "layout": "long",
        "divisions": sorted({row["product_division"] for row in rows}),
        "has_invoices": any(row["invoice_id"] for row in rows),
        "first_order": min(row["order_date"] for row in rows),
        "last_order": max(row["order_date"] for row in rows),
        "customers": len(customers),
        "transactions": len(rows),
    }
    workspace = run.workspace
    tables = {
        workspace.fact: facts,
        workspace.dim("customer"): pa.Table.from_pylist(customers),
        workspace.dim("product"): pa.Table.from_pylist(
            sorted(products.values(), key=lambda p: p["product_sku"])
        ),
    }
    with run.commit("star") as change:
        for path, table in tables.items():
            if shuffle is not None:
                places = list(range(table.num_rows))
                random.Random(shuffle).shuffle(places)
                table = table.take(places)
            change.arrow(table, path)
        change.json(about, workspace.star_facts)


@dataclasses.dataclass(frozen=True)
class Called:
    """What a command left behind: its exit code and what it printed."""

    code: int
    out: str
    err: str


Gosales = Callable[..., Called]


@pytest.fixture
def gosales(capsys: pytest.CaptureFixture[str]) -> Gosales:
    """``gosales("star", "--workspace", folder)``: a command as a user calls it."""
    from gosales.cli import main

    def call(*arguments: object) -> Called:
        capsys.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Called(code, printed.out, printed.err)

    return call
