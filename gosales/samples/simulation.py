"""A whole simulated log: the blocks of customers put together, sorted by day, with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.samples.catalog import DIVISIONS, PRODUCTS
from gosales.samples.demand import CUTOFFS, Purchases, Truth, simulate_demand
from gosales.samples.documents import (
    REFUND_SHARE,
    Documents,
    Lines,
    base_documents,
    extra_weight,
    invoice,
)
from gosales.samples.spec import SimulationSpec
from gosales.samples.world import Customers, draw_customers

__all__ = ["Simulation", "simulate"]

_BLOCK_CUSTOMERS = 20_000
_BLOCK_DOCUMENTS = 1_000_000
_NATURAL_EXTRA = 0.55
_PILOT = 4000


@dataclass(frozen=True)
class Simulation:
    """What happened, before anybody exported it; tables are made when asked for."""

    spec: SimulationSpec
    people: Customers
    invoices: Documents
    items: Lines
    truths: tuple[tuple[Truth, ...], ...]  # one tuple a cutoff, its blocks of customers in order

    @cached_property
    def customers(self) -> pa.Table:
        """One row a customer: who it is, and its hidden activity, arrival and churn."""
        people = self.people
        month = (np.datetime64("2021-01", "M") + people.arrival).astype("datetime64[D]")
        return pa.table(
            {
                "customer_id": people.code,
                "customer_name": people.name,
                **people.labels(),
                "arrival_month": month,
                "activity": people.activity,
                "monthly_churn": people.churn,
            }
        )

    @cached_property
    def documents(self) -> pa.Table:
        """One row an invoice: invoice_id, customer_id, order_date, division, is_refund."""
        return pa.table(
            {
                "invoice_id": self.invoice_ids(0, len(self.invoices.day)),
                "customer_id": self.people.code.take(pa.array(self.invoices.customer)),
                "order_date": _dates(self.invoices.day),
                "division": _division_names(self.invoices.division),
                "is_refund": self.invoices.refund,
            }
        )

    @cached_property
    def lines(self) -> pa.Table:
        """One row a product on an invoice, as a faultless star would hold it.

        invoice_id, customer_id, order_date, product_sku, product_division, quantity,
        gross_profit (decimal, currency).
        """
        return pa.concat_tables(self.line_batches()).combine_chunks()

    @cached_property
    def truth(self) -> pa.Table:
        """One row a (cutoff, customer with an order by then, division), as `truth_batches`."""
        return pa.concat_tables(self.truth_batches()).combine_chunks()

    def invoice_ids(self, start: int, stop: int) -> pa.StringArray:
        """The numbers of some documents: SO- for sales, CM- for credits."""
        kind = pa.array(["SO-", "CM-"]).take(
            pa.array(self.invoices.refund[start:stop].astype(np.int8))
        )
        number = pa.array(10_000_001 + np.arange(start, stop)).cast(pa.string())
        return pc.binary_join_element_wise(kind, number, "")

    def line_batches(self, size: int = 1_000_000) -> Iterator[pa.Table]:
        """The lines, some at a time."""
        skus = pa.array([p.sku for p in PRODUCTS])
        owner = pa.array([d.name for d in DIVISIONS for _ in d.products])
        for start in range(0, len(self.items.document), size):
            part = slice(start, start + size)
            document = self.items.document[part]
            first = int(document[0])
            ids = self.invoice_ids(first, int(document[-1]) + 1)
            product = pa.array(self.items.product[part])
            yield pa.table(
                {
                    "invoice_id": ids.take(pa.array(document - first)),
                    "customer_id": self.people.code.take(
                        pa.array(self.invoices.customer[document])
                    ),
                    "order_date": _dates(self.invoices.day[document]),
                    "product_sku": skus.take(product),
                    "product_division": owner.take(product),
                    "quantity": pa.array(self.items.quantity[part]),
                    "gross_profit": _dollars(self.items.cents[part]),
                }
            )

    def truth_batches(self) -> Iterator[pa.Table]:
        """The truth, a cutoff and block at a time.

        customer_id, division, cutoff, probability (to buy within six months, given all
        that is so at the cutoff, hidden things too), owned_before, bought.
        """
        for blocks in self.truths:
            for block in blocks:
                shape = block.probability.shape
                customer = np.repeat(block.customer, shape[1])
                yield pa.table(
                    {
                        "customer_id": self.people.code.take(pa.array(customer)),
                        "division": _division_names(np.tile(np.arange(shape[1]), shape[0])),
                        "cutoff": pa.repeat(pa.scalar(block.cutoff), len(customer)),
                        "probability": block.probability.ravel(),
                        "owned_before": block.owned.ravel(),
                        "bought": block.bought.ravel(),
                    }
                )


def simulate(spec: SimulationSpec) -> Simulation:
    """Everything that the spec's customers bought from 2021 to 2024, and the truth about it."""
    people = draw_customers(spec)
    size = _block_size(spec)
    dampen = _dampening(spec, people)
    bounds = [(s, min(s + size, len(people))) for s in range(0, len(people), size)]
    purchases: list[Purchases] = []
    truths: list[list[Truth]] = [[] for _ in CUTOFFS]
    for block, (start, stop) in enumerate(bounds):
        bought, told = simulate_demand(spec, people.part(start, stop), block, dampen)
        purchases.append(bought)
        for column, truth in zip(truths, told, strict=True):
            column.append(_moved(truth, start))
    extra = _extra(spec, purchases, [people.part(*bound) for bound in bounds])
    parts = []
    for block, (start, stop) in enumerate(bounds):
        documents, lines = invoice(spec, purchases[block], people.part(start, stop), block, extra)
        parts.append((start, documents, lines))
    invoices, items = _merged(spec, parts)
    return Simulation(spec, people, invoices, items, tuple(tuple(t) for t in truths))


def _block_size(spec: SimulationSpec) -> int:
    """Customers simulated at a time, so that memory does not grow with the log."""
    each = (spec.rows or 0) / spec.customers
    return _BLOCK_CUSTOMERS if each < 50 else max(int(_BLOCK_DOCUMENTS / each), 1)


def _dampening(spec: SimulationSpec, people: Customers) -> float:
    """What to add to the log hazards so that no more than ``rows`` documents arise.

    0 unless fewer are asked for than customers make of themselves.
    """
    if spec.rows is None:
        return 0.0
    pilot = people.part(0, min(_PILOT, len(people)))
    target = spec.rows / spec.customers / (1 + REFUND_SHARE) * len(pilot)

    def documents(dampen: float) -> int:
        return len(base_documents(simulate_demand(spec, pilot, 0, dampen)[0])[0])

    if documents(0.0) <= target:
        return 0.0
    low, high = -8.0, 0.0
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if documents(middle) < target else (low, middle)
    return (low + high) / 2


def _extra(spec: SimulationSpec, purchases: list[Purchases], people: list[Customers]) -> float:
    """Further documents a purchase of weight 1, to come to ``rows`` in all."""
    if spec.rows is None:
        return _NATURAL_EXTRA
    base = sum(len(base_documents(p)[0]) for p in purchases)
    weight = sum(
        float(extra_weight(spec, p, c).sum()) for p, c in zip(purchases, people, strict=True)
    )
    return max(spec.rows / (1 + REFUND_SHARE) - base, 0.0) / weight


def _moved(truth: Truth, start: int) -> Truth:
    """The truth with customers counted over all blocks."""
    return Truth(truth.cutoff, truth.customer + start, truth.probability, truth.owned, truth.bought)


def _merged(
    spec: SimulationSpec, parts: list[tuple[int, Documents, Lines]]
) -> tuple[Documents, Lines]:
    """All blocks' documents in order of their day (at random within it), lines in theirs."""
    documents = Documents(
        customer=np.concatenate([d.customer + np.int32(start) for start, d, _ in parts]),
        **{
            name: np.concatenate([getattr(d, name) for _, d, _ in parts])
            for name in ("day", "division", "refund")
        },
    )
    offsets = np.cumsum([0] + [len(d.day) for _, d, _ in parts])
    items = Lines(
        document=np.concatenate(
            [x.document + np.int32(o) for (_, _, x), o in zip(parts, offsets, strict=False)]
        ),
        **{
            name: np.concatenate([getattr(x, name) for _, _, x in parts])
            for name in ("product", "quantity", "cents")
        },
    )
    parts.clear()
    rng = np.random.default_rng([spec.seed, 4])
    tie = rng.integers(0, 1 << 24, len(documents.day))
    order = np.argsort(documents.day.astype(np.int64) << 24 | tie, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    moved = place[items.document]
    by_document = np.argsort(moved * len(PRODUCTS) + items.product, kind="stable")
    return (
        Documents(*(getattr(documents, f.name)[order] for f in fields(Documents))),
        Lines(
            moved[by_document],
            *(getattr(items, f.name)[by_document] for f in fields(Lines)[1:]),
        ),
    )


def _dates(day: np.ndarray) -> pa.Array:
    return pa.array(day.astype(np.int32)).cast(pa.date32())


def _division_names(code: np.ndarray) -> pa.StringArray:
    return pa.array([d.name for d in DIVISIONS]).take(pa.array(code))


def _dollars(cents: np.ndarray) -> pa.Array:
    """Cents as decimal dollars."""
    whole = pa.array(cents).cast(pa.decimal128(19, 0))
    return pc.multiply(whole, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(18, 4))
