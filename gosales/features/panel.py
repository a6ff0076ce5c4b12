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
NOBODY = pa.table({"customer": pa.array([], pa.int32())})


@dataclass(frozen=True)
class Slice:
    """A cutoff's blocks, sorted by customer: ``customer`` (its number), then features as float64.

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
        buyers = self.ledgers.buyers(self.targets)
        for some in self._together(cutoffs, sum(buyers.values())):
            history = self.ledgers.at(some)
            shared, apart = self._shared(history), list[ir.Table]()
            if self.settings.affinity:
                found = affinity.pairs(self.engine, history, self.targets, self.settings)
                apart.append(self._select(found, PAIR, "affinity"))
            if self.settings.als:
                tastes, alike = als.tables(self.engine, history, self.targets)
                shared = _left(shared, self._select(tastes, CUSTOMER, "als"), CUSTOMER)
                apart.append(self._select(alike, PAIR, "als"))
            rows = _groups(self.engine.to_arrow(shared.order_by(*CUSTOMER)), ["cutoff"])
            own = self._own_blocks(history, self._batches(buyers, len(some)), apart)
            for day in some:
                yield Slice(day, rows[(day,)], own(day))

    def _together(self, cutoffs: Sequence[dt.date], pairs: int) -> Iterator[list[dt.date]]:
        """Runs of cutoffs whose rows fit into memory together; ``pairs`` are those of each."""
        customers, some, rows = self.ledgers.customers_by(cutoffs), list[dt.date](), 0
        for day in sorted(cutoffs):
            full = rows + customers[day] > SHARED_ROWS or (len(some) + 1) * pairs > OWN_ROWS
            if some and full:
                yield some
                some, rows = [], 0
            some.append(day)
            rows += customers[day]
        yield some

    def _batches(self, buyers: dict[str, int], cutoffs: int) -> list[list[str]]:
        """Targets whose pairs fit into memory together."""
        batches: list[list[str]] = [[]]
        rows = 0
        for name in self.targets:
            if batches[-1] and (rows + buyers[name]) * cutoffs > OWN_ROWS:
                batches.append([])
                rows = 0
            batches[-1].append(name)
            rows += buyers[name]
        return batches

    def _own_blocks(
        self, history: History, batches: list[list[str]], apart: list[ir.Table]
    ) -> Callable[[dt.date], Iterator[tuple[str, list[pa.Table]]]]:
        """The own blocks of each target at a cutoff.

        Where there is more than one batch, there is one cutoff, and each batch is computed when
        it is its turn.
        """
        first, blocks = self._own(history, batches[0]), [self._block(table) for table in apart]

        def of_day(day: dt.date) -> Iterator[tuple[str, list[pa.Table]]]:
            for batch in batches:
                groups = first if batch is batches[0] else self._own(history, batch)
                for name in batch:
                    own = groups.get((day, name), NOBODY)
                    yield name, [own, *(block(day, name) for block in blocks)]

        return of_day

    def _own(self, history: History, targets: list[str]) -> dict[tuple[object, ...], pa.Table]:
        """(cutoff, target) -> the target's own features, for its buyers."""
        days, orders = (t.filter(t.division.isin(targets)) for t in (history.days, history.orders))
        rows = days.group_by(*PAIR).agg(
            **rfm.of_days(self.windows),
            **lifecycle.of_days(),
            **trajectory.of_days(),
            **returns.of_days(self.windows),
            **(margin.of_days(self.windows) if self.has_margin else {}),
        )
        counts = orders.group_by(*PAIR).agg(
            **rfm.of_orders(self.windows),
            **trajectory.of_orders(),
            **seasonality.of_orders(self.ahead_months),
        )
        rows = _left(rows, counts, PAIR)
        # Apart: in one query with the rest, all days would be kept in memory for both.
        cycles = self.engine.cache(lifecycle.cycles(days))
        rows = _left(rows, cycles, ["cutoff", "division"])
        own = self._select(rows, PAIR).order_by(*PAIR)
        return _groups(self.engine.to_arrow(own), ["cutoff", "division"])

    def _shared(self, history: History) -> ir.Table:
        """(cutoff, customer) -> the shared features."""
        rows = history.customer_days.group_by(*CUSTOMER).agg(
            **rfm.of_days(self.windows, "all_"),
            **lifecycle.of_customer_days(),
            **trajectory.of_customer_days(),
            **returns.of_days(self.windows, "all_"),
            **(margin.of_days(self.windows, "all_") if self.has_margin else {}),
        )
        orders = history.customer_orders.group_by(*CUSTOMER).agg(
            **rfm.of_orders(self.windows, "all_"),
            **trajectory.of_customer_orders(),
            **seasonality.of_orders(self.ahead_months, "all_"),
        )
        pairs = _left(
            history.days.group_by(*PAIR).agg(**cross_division.of_days()),
            history.orders.group_by(*PAIR).agg(**cross_division.of_orders()),
            PAIR,
        )
        spread = pairs.group_by(*CUSTOMER).agg(
            **cross_division.of_pairs(self.divisions), **diversity.of_pairs()
        )
        skus = history.skus.group_by(*CUSTOMER).agg(**diversity.of_skus())
        first = history.first_skus.group_by(*CUSTOMER).agg(**diversity.of_first_skus())
        for table in (orders, spread, skus, first):
            rows = _left(rows, table, CUSTOMER)
        return self._select(trajectory.month_means(rows), CUSTOMER)

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
        """A table that is ready: in memory, or read a target at a time where it is large."""
        if self.engine.scalar(own.count()) <= OWN_ROWS:
            keys = ["cutoff", "division"]
            groups = _groups(self.engine.to_arrow(own.order_by(*PAIR)), keys)
            return lambda day, name: groups.get((day, name), NOBODY)

        def read(day: dt.date, name: str) -> pa.Table:
            chosen = own.filter((own.cutoff == ibis.literal(day)) & (own.division == name))
            return self.engine.to_arrow(chosen.drop("cutoff", "division").order_by("customer"))

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
