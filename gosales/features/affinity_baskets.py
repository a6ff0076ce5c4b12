"""What customers bought, as sparse matrices: all that the affinity features learn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from scipy import sparse

from gosales.engine import Engine
from gosales.features.history import History

__all__ = ["MONTHS", "Baskets", "Bools", "Floats", "Ints", "read_baskets"]

MONTHS = 24
# Products that most customers own; the others say little, and a Gram matrix has to stay small.
MOST_PRODUCTS = 1000
KEYS = ["cutoff", "customer", "division", "product_sku"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baskets:
    """What n customers bought in the last 24 months before one cutoff: m products, D divisions.

    ``customers`` (their numbers) and ``divisions`` are sorted. ``days`` (n, m): days on which the
    customer bought the product; every stored entry is above 0. ``early``, one flag an entry of
    ``days``: bought by ``cutoff - lag`` already. ``division_days`` (n, D): the sum of ``days``
    over all of a division's products, those too that are not among the m. ``division_early``
    (n, D): whether any was bought by ``cutoff - lag``. ``sold`` (m, D): whether the product was
    sold in the division; one that was sold in two belongs to both.
    """

    customers: pa.Array
    divisions: tuple[str, ...]
    days: sparse.csr_array
    early: Bools
    division_days: Floats
    division_early: Bools
    sold: Bools

    @property
    def owned(self) -> Bools:
        """(n, D): whether the customer bought in the division."""
        return self.division_days > 0


def read_baskets(
    engine: Engine, history: History, lag_days: int
) -> Iterator[tuple[dt.date, Baskets]]:
    """The baskets of each cutoff that has any, in the order of the cutoffs."""
    recent = history.purchases.filter(history.purchases.months_ago < MONTHS)
    rows = recent.group_by(*KEYS).agg(
        days=_.count().cast("int32"),
        early=(_.days_ago.max() >= lag_days),
    )
    for cutoff, table in _by_cutoff(engine.batches(rows.order_by("cutoff"))):
        yield cutoff, _baskets(table)


def _by_cutoff(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[dt.date, pa.Table]]:
    """One table a cutoff from batches that are sorted by it."""
    waiting: list[pa.RecordBatch] = []
    current: dt.date | None = None
    for batch in batches:
        days = batch.column("cutoff").cast(pa.int32()).to_numpy()
        borders = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for start, stop in pairwise(borders):
            if start == stop:
                continue
            day = batch.column("cutoff")[start].as_py()
            if current is not None and day != current:
                yield current, pa.Table.from_batches(waiting)
                waiting = []
            current = day
            waiting.append(batch.slice(start, stop - start))
    if current is not None:
        yield current, pa.Table.from_batches(waiting)


def _baskets(table: pa.Table) -> Baskets:
    customers, customer = np.unique(table["customer"].to_numpy(), return_inverse=True)
    names, division = _codes(table["division"])
    skus, sku = _codes(table["product_sku"])
    days = table["days"].to_numpy().astype(np.float64)
    early = table["early"].to_numpy()
    n, width = len(customers), len(names)

    division_days = np.zeros((n, width))
    np.add.at(division_days, (customer, division), days)
    division_early = np.zeros((n, width), dtype=bool)
    division_early[customer[early], division[early]] = True

    # A product is an SKU in a division; the same SKU in another is sold in both.
    in_division = np.zeros((len(skus), width), dtype=bool)
    in_division[sku, division] = True
    products, product = np.unique(division * len(skus) + sku, return_inverse=True)
    kept = _most_owned(product, len(products))
    place = np.full(len(products), -1)
    place[kept] = np.arange(len(kept))
    keep = place[product] >= 0
    customer, product = customer[keep], place[product[keep]]
    order = np.lexsort((product, customer))
    matrix = sparse.csr_array(
        (
            days[keep][order],
            product[order],
            np.concatenate([[0], np.cumsum(np.bincount(customer, minlength=n))]),
        ),
        shape=(n, len(kept)),
    )
    return Baskets(
        customers=pa.array(customers),
        divisions=tuple(names.to_pylist()),
        days=matrix,
        early=early[keep][order],
        division_days=division_days,
        division_early=division_early,
        sold=in_division[products[kept] % len(skus)],
    )


def _codes(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """The sorted distinct texts, and each row's place among them."""
    encoded = column.combine_chunks().cast(pa.string()).dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


def _most_owned(product: Ints, count: int) -> Ints:
    """The products with the most customers, sorted; of equals the first by name."""
    owners = np.bincount(product, minlength=count)
    return np.sort(np.argsort(-owners, kind="stable")[:MOST_PRODUCTS])
