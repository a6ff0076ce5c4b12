"""One split in time: what anybody may learn from, and the answers they are judged on.

Everybody learns from the labels of month ends whose window had closed by the test cutoff,
and scores the customers who had ordered by the test cutoff.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gosales.errors import NothingToDo
from gosales.etl.star import StarFacts, open_star, read_star_facts
from gosales.features import ensure_features, read_features
from gosales.labels import ensure_labels
from gosales.months import add_months, month_ends
from gosales.run import Run

from .lines import Lines, read_lines

__all__ = ["COHORTS", "Answers", "Split", "make_split", "test_cutoffs", "training_days"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

COHORTS = ("never bought", "all")
# A log often ends a little before its last month does.
SLACK_DAYS = 3
HISTORY_DAYS = 85
MOST_CUTOFFS = 24


@dataclass(frozen=True)
class Answers:
    """Labels of a division at a cutoff; a row each customer of ``Split.people``."""

    label: Floats
    owned: Bools
    gp: Floats

    def cohort(self, name: str) -> Ints:
        """Rows of the customers who never bought there, or of all."""
        return np.flatnonzero(~self.owned | (name == "all"))


@dataclass(frozen=True)
class Split:
    """``customers``: all of the log, whose places are their codes, the same in every split.

    ``people``: codes of the customers known at each cutoff, in the order of their ids.
    ``late_days``: how long after the last order the test window ends.
    """

    run: Run
    test: dt.date
    days: tuple[dt.date, ...]
    window_months: int
    divisions: tuple[str, ...]
    customers: npt.NDArray[np.object_]
    people: dict[dt.date, Ints]
    answers: dict[tuple[str, dt.date], Answers]
    late_days: int

    @cached_property
    def lines(self) -> Lines:
        """The order lines by the test cutoff."""
        return read_lines(self.run, self.customers, self.divisions).until(self.test)

    @property
    def scored(self) -> Ints:
        return self.people[self.test]

    def sold(self, division: str) -> list[dt.date]:
        """Training cutoffs by which somebody had bought there; all when there is none.

        What precedes the launch of a division says nothing of who buys there now.
        """
        sold = [day for day in self.days if self.answers[division, day].owned.any()]
        return sold or list(self.days)

    def prior(self, division: str, cohort: str) -> float:
        """The share of buyers in the training rows of the cohort."""
        parts = [self.answers[division, day] for day in self.sold(division)]
        labels = np.concatenate([one.label[one.cohort(cohort)] for one in parts])
        return float(labels.mean()) if len(labels) else 0.0

    def stacked(self, division: str) -> tuple[Floats, Bools, Ints, Ints]:
        """Label, owned, customer and place of the cutoff of the training rows."""
        days = self.sold(division)
        parts = [self.answers[division, day] for day in days]
        return (
            np.concatenate([one.label for one in parts]),
            np.concatenate([one.owned for one in parts]),
            np.concatenate([self.people[day] for day in days]),
            np.repeat(np.arange(len(days)), [len(one.label) for one in parts]),
        )

    def design(
        self, division: str, names: Sequence[str] | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Our features of the training rows (as in ``stacked``) and of the scored customers."""
        parts = [self._features(division, day, names) for day in self.sold(division)]
        return np.concatenate(parts), self._features(division, self.test, names)

    def _features(
        self, division: str, day: dt.date, names: Sequence[str] | None
    ) -> npt.NDArray[np.float32]:
        table = read_features(self.run, division, day, names)
        columns = [name for name in table.column_names if name != "customer_id"]
        x = np.empty((table.num_rows, len(columns)), dtype=np.float32)
        for place, name in enumerate(columns):
            x[:, place] = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        code = _codes(self.customers, table["customer_id"])
        order = np.argsort(code)
        rows = order[np.searchsorted(code[order], self.people[day])]
        if (code[rows] != self.people[day]).any():
            raise AssertionError(f"features and labels of {division} at {day} differ in customers")
        return x[rows]


def test_cutoffs(star: StarFacts, window_months: int, number: int) -> list[dt.date]:
    """The newest month end whose window has closed, and those half a window before it."""
    slack = star.last_order + dt.timedelta(days=SLACK_DAYS)
    ends = [d for d in month_ends(star.first_order, slack) if add_months(d, window_months) <= slack]
    step = max(1, window_months // 2)
    chosen = ends[::-step][:number] if ends else []
    fit = [day for day in chosen if training_days(star, day, window_months)]
    if not fit:
        raise NothingToDo(
            f"The log ({star.first_order} to {star.last_order}) is too short to be judged with "
            f"windows of {window_months} months.",
            "Give a shorter --window-months.",
        )
    return fit


def training_days(star: StarFacts, test: dt.date, window_months: int) -> tuple[dt.date, ...]:
    """The newest month ends whose window had closed by the test cutoff."""
    first = star.first_order + dt.timedelta(days=HISTORY_DAYS)
    ends = [d for d in month_ends(first, test) if add_months(d, window_months) <= test]
    return tuple(ends[-MOST_CUTOFFS:])


def make_split(run: Run, test: dt.date) -> Split:
    """Labels and features at all its cutoffs, built where they are missing."""
    star, window = read_star_facts(run.workspace), run.settings.labels.window_months
    days = training_days(star, test, window)
    every = [*days, test]
    ensure_labels(run, list(star.divisions), every)
    ensure_features(run, list(star.divisions), every)
    tables = {
        (division, day): pq.read_table(run.workspace.labels(division, day)).sort_by("customer_id")
        for division in star.divisions
        for day in every
    }
    known = run.engine.to_arrow(open_star(run).customers.select("customer_id"))
    customers = np.array(sorted(known["customer_id"].to_pylist()), dtype=object)
    people = {
        day: _codes(customers, tables[star.divisions[0], day]["customer_id"]) for day in every
    }
    return Split(
        run=run,
        test=test,
        days=days,
        window_months=window,
        divisions=star.divisions,
        customers=customers,
        people=people,
        answers={pair: _answers(table) for pair, table in tables.items()},
        late_days=max(0, (add_months(test, window) - star.last_order).days),
    )


def _answers(table: pa.Table) -> Answers:
    def numbers(name: str) -> Floats:
        values: Floats = table[name].cast(pa.float64()).to_numpy()
        return values

    return Answers(numbers("label"), numbers("is_renewal_like") > 0, numbers("target_gp"))


def _codes(customers: npt.NDArray[np.object_], column: pa.ChunkedArray) -> Ints:
    """Places of ids among the customers; all of them must be there."""
    place = {customer: code for code, customer in enumerate(customers)}
    return np.array([place[customer] for customer in column.to_pylist()], dtype=np.int64)
