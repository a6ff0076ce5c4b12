"""From purchases to invoices: which products, how many, at what profit, on which day.

Every purchase of a month becomes at least one line with a profit above zero. Refunds
come within the month of their document and take at most two fifths of one line, so a
division's net profit in a window of whole months is positive exactly when something
was bought in it. The truth relies on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gosales.samples.catalog import DIVISIONS, PRODUCTS
from gosales.samples.demand import Purchases
from gosales.samples.spec import FIRST_DAY, MONTHS, SimulationSpec, shift_month
from gosales.samples.world import Customers

__all__ = ["REFUND_SHARE", "Documents", "Lines", "base_documents", "extra_weight", "invoice"]

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

REFUND_SHARE = 0.03
"""Refunds a document."""
_SECOND_LINE = 0.15
_FREE = 0.1
_SLOTS = len(DIVISIONS) + 1

_SIZES = np.array([len(d.products) for d in DIVISIONS])
_STARTS = np.cumsum(_SIZES) - _SIZES
_OWNER = np.repeat(np.arange(len(DIVISIONS)), _SIZES)
_PROFIT = np.array([p.profit for p in PRODUCTS])
_SEATS = np.array([p.seats for p in PRODUCTS])
_SHIFT_PRICE = np.array([1.12, 1.12, 1.1, 1.1, 1.2, 1.2, 1.1, 0.8, 0.85, 1.1, 1.1, 0.9])
"""Profits after the shift, by division: software dearer, printing cheaper."""

_MONTH_STARTS = (
    (np.datetime64(FIRST_DAY, "M") + np.arange(MONTHS + 1)).astype("datetime64[D]").astype(np.int64)
)


@dataclass(frozen=True)
class Documents:
    """One element an invoice; ``day`` counts from 1970-01-01, ``division`` has most profit."""

    customer: Ints
    day: Ints
    division: Ints
    refund: Flags


@dataclass(frozen=True)
class Lines:
    """One element a product on an invoice, sorted by ``document``, an index of Documents."""

    document: Ints
    product: Ints
    quantity: Ints
    cents: Ints


def base_documents(purchases: Purchases) -> tuple[Ints, Ints]:
    """Purchases of a customer's month put into documents: joint ones in one, others apart.

    Returns the documents' keys, sorted by month and customer, and each purchase's document.
    """
    slot = np.where(purchases.joint, 0, purchases.division + 1)
    month = purchases.month.astype(np.int64)
    key = (month << 32 | purchases.customer) * _SLOTS + slot
    keys, document = np.unique(key, return_inverse=True)
    return keys, document


def extra_weight(spec: SimulationSpec, purchases: Purchases, customers: Customers) -> Floats:
    """How prone each purchase is to be followed by more documents of its kind in its month."""
    return np.exp(0.7 * spec.signal * customers.activity[purchases.customer])


def invoice(
    spec: SimulationSpec, purchases: Purchases, customers: Customers, block: int, extra: float
) -> tuple[Documents, Lines]:
    """All documents and lines of a block of customers.

    ``extra`` is the mean number of further documents a purchase of weight 1 has.
    Documents come in no particular order; customers count within the block.
    """
    rng = np.random.default_rng([spec.seed, 3, block])
    keys, document = base_documents(purchases)
    plain = extra_weight(spec, purchases, customers)
    weight = plain * rng.gamma(0.6, 1 / 0.6, len(document))  # a heavy tail,
    weight *= plain.sum() / weight.sum()  # that leaves the sum as it was
    source = np.repeat(np.arange(len(document)), rng.poisson(extra * weight))
    origin = np.concatenate([np.arange(len(document)), source])
    document = np.concatenate([document, len(keys) + np.arange(len(source))])
    key = keys // _SLOTS
    customer = np.concatenate([key & 0xFFFFFFFF, purchases.customer[source]])
    month = np.concatenate([key >> 32, purchases.month[source]])

    division = purchases.division[origin].astype(np.int64)
    again = purchases.again[origin] | (np.arange(len(origin)) >= len(purchases.customer))
    lines = _priced_lines(spec, customers, document, division, again, customer, month, rng)
    day = _days(month, rng)
    return _with_refunds(customer, day, month, lines, rng)


def _days(month: Ints, rng: np.random.Generator) -> Ints:
    """A day in each month, more of them late; weekends' documents mostly on the Friday before."""
    start = _MONTH_STARTS[month]
    length = _MONTH_STARTS[month + 1] - start
    day = start + (length * rng.random(len(month)) ** 0.75).astype(np.int64)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    return np.maximum(day - np.maximum(weekday - 4, 0), start)


def _priced_lines(
    spec: SimulationSpec,
    customers: Customers,
    document: Ints,
    division: Ints,
    again: Flags,
    customer: Ints,
    month: Ints,
    rng: np.random.Generator,
) -> Lines:
    """A line for each purchase, here and there a second one, some of these free of charge."""
    product = _choose(division, again, rng)
    second = np.flatnonzero((rng.random(len(product)) < _SECOND_LINE) & (_SIZES[division] > 1))
    sizes, starts = _SIZES[division[second]], _STARTS[division[second]]
    step = rng.integers(1, sizes)
    other = starts + (product[second] - starts + step) % sizes
    free = rng.random(len(second)) < _FREE

    document = np.concatenate([document, document[second]])
    product = np.concatenate([product, other])
    buyer = customer[document]
    bigness = spec.signal * (customers.size[buyer] - 1.4)
    quantity = 1 + rng.poisson(_SEATS[product] * np.exp(0.35 * bigness))
    spread = np.exp(rng.normal(-0.1, 0.45, len(product)) + 0.1 * bigness)
    dollars = _PROFIT[product] * quantity * spread * _price_level(spec, product, month[document])
    cents = np.maximum(np.rint(dollars * 100).astype(np.int64), 500)
    cents[len(cents) - len(second) :][free] = 0
    return Lines(document, product, quantity, cents)


def _price_level(spec: SimulationSpec, product: Ints, month: Ints) -> Floats:
    """Three per cent a year, and the shift's change."""
    level = np.exp(0.03 * month / 12)
    if spec.shift is None:
        return level
    return level * np.where(month >= shift_month(spec.shift), _SHIFT_PRICE[_OWNER[product]], 1.0)


def _choose(division: Ints, again: Flags, rng: np.random.Generator) -> Ints:
    """A product of each division by its weights for first or later purchases."""
    ladder = np.full((2, len(DIVISIONS), int(_SIZES.max()) - 1), 2.0)
    for row, line in enumerate(DIVISIONS):
        for kind, weights in enumerate(
            ([p.first for p in line.products], [p.again for p in line.products])
        ):
            ladder[kind, row, : len(weights) - 1] = (np.cumsum(weights) / sum(weights))[:-1]
    steps = ladder[again.astype(np.int64), division]
    return np.asarray(_STARTS[division] + (rng.random(len(division))[:, None] > steps).sum(axis=1))


def _with_refunds(
    customer: Ints, day: Ints, month: Ints, lines: Lines, rng: np.random.Generator
) -> tuple[Documents, Lines]:
    """Add refund documents: a part of the dearest line, later in the same month."""
    order = np.lexsort((-lines.cents, lines.document))
    dearest = order[np.flatnonzero(np.diff(lines.document[order], prepend=-1))]
    hit = np.flatnonzero(rng.random(len(day)) < REFUND_SHARE)
    line = dearest[hit]
    share = rng.uniform(0.1, 0.4, len(hit))
    left = _MONTH_STARTS[month[hit] + 1] - day[hit]
    late = day[hit] + (left * rng.random(len(hit))).astype(np.int64)
    none = np.zeros(len(day), bool)
    documents = Documents(
        customer=np.concatenate([customer, customer[hit]]).astype(np.int32),
        day=np.concatenate([day, late]).astype(np.int32),
        division=_OWNER[lines.product[np.concatenate([dearest, line])]].astype(np.int8),
        refund=np.concatenate([none, ~none[hit]]),
    )
    refunded = np.maximum(np.rint(share * lines.quantity[line]).astype(np.int64), 1)
    return documents, Lines(
        document=np.concatenate([lines.document, len(day) + np.arange(len(hit))]).astype(np.int32),
        product=np.concatenate([lines.product, lines.product[line]]).astype(np.int8),
        quantity=np.concatenate([lines.quantity, -refunded]).astype(np.int32),
        cents=np.concatenate([lines.cents, -(share * lines.cents[line]).astype(np.int64)]),
    )
