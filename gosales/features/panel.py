"""Joins the families once for many cutoffs and hands the results out, a cutoff at a time.

The shared block has a row for every customer that a cutoff knows; the pairs have one for every
(customer, division) with an order. Both are computed for as many cutoffs at once as fit into
memory: all of them on a log of ten thousand customers, one at a time on a log of a million.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.engine import Engine
from gosales.features import (
    affinity,
    als,
    cross_division,
    diversity,
    lifecycle,
    margin,
    returns,
    rfm,
    seasonality,
    trajectory,
)
from gosales.features.catalog import Feature
from gosales.features.history import CUSTOMER, PAIR, History, Ledgers
from gosales.settings import FeatureSettings

__all__ = ["Panel", "Slice"]

# Rows of a block that are in memory together.
SHARED_ROWS, OWN_ROWS = 300_000, 1_000_000
# Families with tables of their own; the others' features are read off the joined aggregates.
APART = ("affinity", "als")
NOBODY = pa.table({"customer_id": pa.array([], pa.string())})


@dataclass(frozen=True)
class Slice:
    """A cutoff's blocks, sorted by customer: ``customer_id``, then features as float64.

    ``shared`` has every customer; those of a target's own blocks are those it can speak of.
    """

    cutoff: dt.date
    shared: pa.Table
    own: Iterator[tuple[str, list[pa.Table]]]


@dataclass(frozen=True)
class Panel:
    """What is computed: ``features`` by an engine, the others later from these.

    ``divisions`` are all of the star, ``targets`` those that get a matrix; ``ahead_months`` is
    the length of the label window.
    """

    engine: Engine
    ledgers: Ledgers
    features: Sequence[Feature]
    divisions: Sequence[str]
    targets: Sequence[str]
    settings: FeatureSettings
    ahead_months: int

    @property
    def has_margin(self) -> bool:
        """Whether the log tells revenue apart from gross profit."""
        return "revenue" in self.ledgers.tables["days"].columns

    @property
    def windows(self) -> list[int]:
        """Of the settings, and those that shares and changes of a year need."""
        return sorted({*self.settings.windows_months, 12, 24})

    def slices(self, cutoffs: Sequence[dt.date]) -> Iterator[Slice]:
        """The blocks of each cutoff, in the order of time; read one before asking for the next."""
        for some in self._together(cutoffs):
            history = self.ledgers.at(some)
            pairs = self.engine.cache(self._pairs(history))
            shared, own = self._shared(history, pairs), [self._own(history, pairs)]
            if self.settings.affinity:
                found = affinity.pairs(self.engine, history, self.targets, self.settings)
                own.append(self._select(found, PAIR, "affinity"))
            if self.settings.als:
                tastes, alike = als.tables(self.engine, history, self.targets)
                shared = _left(shared, self._select(tastes, CUSTOMER, "als"), CUSTOMER)
                own.append(self._select(alike, PAIR, "als"))
            rows = _groups(self.engine.to_arrow(shared.order_by(*CUSTOMER)), ["cutoff"])
            blocks = [self._block(table) for table in own]
            for day in some:
                own_of_day = ((name, [b(day, name) for b in blocks]) for name in self.targets)
                yield Slice(day, rows[(day,)], own_of_day)

    def _together(self, cutoffs: Sequence[dt.date]) -> Iterator[list[dt.date]]:
        """Runs of cutoffs whose customers fit into memory together."""
        customers, some, rows = self.ledgers.customers_by(cutoffs), list[dt.date](), 0
        for day in sorted(cutoffs):
            if some and rows + customers[day] > SHARED_ROWS:
                yield some
                some, rows = [], 0
            some.append(day)
            rows += customers[day]
        yield some

    def _pairs(self, history: History) -> ir.Table:
        """(cutoff, customer, division) -> the aggregates of all families."""
        days = history.days.group_by(*PAIR).agg(
            **rfm.of_days(self.windows),
            **lifecycle.of_days(),
            **trajectory.of_days(),
            **returns.of_days(self.windows),
            **(margin.of_days(self.windows) if self.has_margin else {}),
        )
        orders = history.orders.group_by(*PAIR).agg(
            **rfm.of_orders(self.windows),
            **trajectory.of_orders(),
            **seasonality.of_orders(self.ahead_months),
        )
        return _left(days, orders, PAIR)

    def _shared(self, history: History, pairs: ir.Table) -> ir.Table:
        """(cutoff, customer) -> the shared features."""
        rows = pairs.group_by(*CUSTOMER).agg(
            **rfm.of_pairs(self.windows),
            **trajectory.of_pairs(),
            **diversity.of_pairs(),
            **returns.of_pairs(self.windows),
            **(margin.of_pairs(self.windows) if self.has_margin else {}),
            **cross_division.of_pairs(self.divisions),
        )
        days = history.customer_days.group_by(*CUSTOMER).agg(
            **lifecycle.of_customer_days(), **trajectory.of_customer_days()
        )
        orders = history.customer_orders.group_by(*CUSTOMER).agg(
            **rfm.of_orders(self.windows, "all_"),
            **trajectory.of_customer_orders(),
            **seasonality.of_orders(self.ahead_months, "all_"),
        )
        skus = history.skus.group_by(*CUSTOMER).agg(**diversity.of_skus())
        first = history.first_skus.group_by(*CUSTOMER).agg(**diversity.of_first_skus())
        for table in (days, orders, skus, first):
            rows = _left(rows, table, CUSTOMER)
        return self._select(trajectory.month_means(rows), CUSTOMER)

    def _own(self, history: History, pairs: ir.Table) -> ir.Table:
        """(cutoff, target, customer) -> the target's own features, for its buyers."""
        chosen = pairs.filter(pairs.division.isin(list(self.targets)))
        rows = _left(chosen, lifecycle.cycles(history), ["cutoff", "division"])
        return self._select(rows, PAIR)

    def _select(self, rows: ir.Table, keys: list[str], family: str = "") -> ir.Table:
        """What the engine computes of the shared features, or of a target's own."""
        chosen = [
            f
            for f in self.features
            if f.is_own == ("division" in keys)
            and f.derive is None
            and (f.family == family or (not family and f.family not in APART))
        ]
        return rows.select(*keys, **{f.name: f.expression for f in chosen})

    def _block(self, own: ir.Table) -> Callable[[dt.date, str], pa.Table]:
        """A block of targets, all of it in memory, or read a target at a time where it is large."""
        own = self.engine.cache(own)
        if self.engine.scalar(own.count()) <= OWN_ROWS:
            keys = ["cutoff", "division"]
            groups = _groups(self.engine.to_arrow(own.order_by(*PAIR)), keys)
            return lambda day, name: groups.get((day, name), NOBODY)

        def read(day: dt.date, name: str) -> pa.Table:
            chosen = own.filter((own.cutoff == ibis.literal(day)) & (own.division == name))
            return self.engine.to_arrow(chosen.drop("cutoff", "division").order_by("customer_id"))

        return read


def _groups(table: pa.Table, keys: list[str]) -> dict[tuple[object, ...], pa.Table]:
    """A table sorted by the keys, cut where they change."""
    table = table.combine_chunks()
    changed = np.zeros(max(table.num_rows - 1, 0), dtype=bool)
    for key in keys:
        column = table[key]
        differs = pc.not_equal(column.slice(1), column.slice(0, len(changed)))
        changed |= differs.to_numpy()
    starts = [0, *(np.flatnonzero(changed) + 1).tolist()] if table.num_rows else []
    rest = table.drop_columns(keys)
    return {
        tuple(table[key][start].as_py() for key in keys): rest.slice(start, end - start)
        for start, end in zip(starts, [*starts[1:], table.num_rows], strict=False)
    }


def _left(left: ir.Table, right: ir.Table, keys: list[str]) -> ir.Table:
    """Left join on keys of the same name, which appear once."""
    return left.left_join(right, keys).drop(*[f"{key}_right" for key in keys])
