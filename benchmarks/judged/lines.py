"""The order lines as arrays, for those who make features of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.etl.star import open_star
from gosales.run import Run

__all__ = ["Lines", "Past", "read_lines"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Past:
    """A customer a row: ordinal days of the first and last order (-1: none), orders, profit."""

    first: Ints
    last: Ints
    orders: Floats
    gp: Floats


@dataclass(frozen=True)
class Lines:
    """An order line a row, in order of the day. ``day`` is ordinal; the others are codes.

    ``order``: the invoice, or the customer's day where the log has no invoices.
    """

    customer: Ints
    day: Ints
    division: Ints
    sku: Ints
    order: Ints
    quantity: Floats
    gp: Floats

    def until(self, cutoff: dt.date) -> Lines:
        stop = int(np.searchsorted(self.day, cutoff.toordinal(), side="right"))
        return Lines(*(getattr(self, field.name)[:stop] for field in fields(self)))

    def of_division(self, code: int) -> Lines:
        rows = np.flatnonzero(self.division == code)
        return Lines(*(getattr(self, field.name)[rows] for field in fields(self)))

    def past(self, customers: int) -> Past:
        first = np.full(customers, np.iinfo(np.int64).max)
        last = np.full(customers, -1)
        np.minimum.at(first, self.customer, self.day)
        np.maximum.at(last, self.customer, self.day)
        one = np.unique(np.column_stack([self.customer, self.order]), axis=0)[:, 0]
        return Past(
            first=np.where(last < 0, -1, first),
            last=last,
            orders=np.bincount(one, minlength=customers).astype(np.float64),
            gp=np.bincount(self.customer, self.gp, minlength=customers),
        )


def read_lines(run: Run, customers: npt.NDArray[np.object_], divisions: Sequence[str]) -> Lines:
    """All lines of these customers (``customers`` and ``divisions`` give the codes)."""
    star = open_star(run)
    columns = ["customer_id", "order_date", "product_division", "product_sku", "invoice_id"]
    facts = star.transactions.order_by("order_date", "transaction_id")
    table = run.engine.to_arrow(facts.select(*columns, "quantity", "gross_profit"))
    customer = pc.index_in(table["customer_id"], pa.array(customers.tolist(), pa.string()))
    table = table.filter(pc.is_valid(customer))
    customer = _ints(customer.drop_null())
    day = _ints(table["order_date"].cast(pa.int32())) + dt.date(1970, 1, 1).toordinal()
    order = customer * 4_000_000 + day
    if star.about.has_invoices:
        invoice = table["invoice_id"].combine_chunks().dictionary_encode()
        order = np.where(_known(invoice), _ints(invoice.indices.fill_null(0)), -order)
    return Lines(
        customer=customer,
        day=day,
        division=_ints(pc.index_in(table["product_division"], pa.array(list(divisions)))),
        sku=_ints(table["product_sku"].combine_chunks().dictionary_encode().indices),
        order=order,
        quantity=_floats(table["quantity"]),
        gp=_floats(table["gross_profit"]),
    )


def _known(array: pa.Array) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return known


def _ints(column: pa.ChunkedArray) -> Ints:
    values: Ints = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
