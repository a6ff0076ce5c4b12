"""Small random sales logs with everything awkward in them, and how tests look at matrices."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa

from gosales.checksum import parquet_batches
from gosales.features import read_features
from gosales.run import Run
from tests.conftest import fact

START = dt.date(2022, 1, 1)
SPAN = 1100
# Small data: what Spark would compile costs more than it saves.
SPARK = {"spark.sql.codegen.wholeStage": "false", "spark.sql.shuffle.partitions": "1"}
DIVISIONS = ("Solidworks", "Success Plan", "PDM")
# "Food" is common at all cutoffs, "Aero" (and a name of the same slug) late or never.
INDUSTRIES = ["Food", "Aero & Space", None, "Food", "Aero & Space", "Aero: Space", "Food"]
ATTRIBUTES = {
    f"c{n:02d}": {
        "industry": INDUSTRIES[n % 7],
        "phone": f"555-{n}",
        "employees": None if n % 5 == 0 else 3 * n,
    }
    for n in range(25)
}
TOLD = [{"customer_id": customer} | row for customer, row in ATTRIBUTES.items()]


def random_log(seed: int, customers: int = 12, lines: int = 220) -> list[dict[str, Any]]:
    """Returns, ties on a day, invoices over days and divisions, lines without invoice,
    leap and month-end days, customers with one order, a later-only customer."""
    rng = random.Random(seed)
    edges = [dt.date(2024, 2, 29), dt.date(2023, 6, 30), dt.date(2023, 7, 1), dt.date(2022, 12, 31)]
    rows = []
    for _ in range(lines):
        day = (
            rng.choice(edges) if rng.random() < 0.15 else START + dt.timedelta(rng.randrange(SPAN))
        )
        customer = f"c{min(int(rng.expovariate(0.3)), customers - 1):02d}"
        invoice = rng.choice([None, f"i{rng.randrange(60)}", f"{customer}-{day}"])
        division = rng.choice(DIVISIONS)
        gp = Decimal(rng.randrange(-3_000, 20_000)) / 100
        rows.append(
            fact(
                customer,
                day,
                division,
                str(gp),
                invoice_id=invoice,
                product_sku=f"{division[:2]}-{rng.randrange(4)}",
                quantity=-1 if gp < -25 else 1,
                revenue=None if rng.random() < 0.2 else gp * 3 + rng.randrange(-5, 50),
            )
        )
    rows.append(fact("later", START + dt.timedelta(SPAN), "PDM", 10))
    return rows


def read(run: Run, division: str, cutoff: dt.date) -> pa.Table:
    """Every declared feature."""
    return read_features(run, division, cutoff)


def written(run: Run, division: str, cutoff: dt.date) -> pa.Table:
    """The matrix as its file has it."""
    return pa.Table.from_batches(parquet_batches(run.workspace.features(division, cutoff)))


def by_customer(table: pa.Table) -> dict[str, dict[str, float | None]]:
    return {row.pop("customer_id"): row for row in table.to_pylist()}
