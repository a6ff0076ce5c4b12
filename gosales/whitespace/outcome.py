"""What acting on the lists brought: handed-out customers against those held back.

A customer belongs to the group of its first list since the date, whatever later lists did with
it (intention to treat), and its outcome is what it bought, of the divisions it was listed for
then, in the label window after that list or until the log ends.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from gosales.errors import NothingToDo
from gosales.etl.star import Star, open_star
from gosales.months import label_window
from gosales.run import Run
from gosales.whitespace.intervals import mean_difference, rate_difference
from gosales.whitespace.ledger import read_ledger

__all__ = ["Group", "OutcomeReport", "measure_outcome"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """``buyers``: customers with net gross profit in what they were listed for."""

    customers: int
    buyers: int
    buyer_rate: float
    gross_profit: float
    gross_profit_per_customer: float


@dataclass(frozen=True)
class OutcomeReport:
    """Both groups and handed minus control, (value, low, high) with 95 % intervals.

    ``crossed``: control customers that a later list handed out (they count as control).
    ``open_until``: the last day seen, when some label window has not closed yet.
    """

    since: dt.date
    lists: tuple[dt.date, ...]
    open_until: dt.date | None
    handed: Group
    control: Group
    crossed: int
    buyer_rate_difference: tuple[float, float, float]
    profit_difference: tuple[float, float | None, float | None]


def measure_outcome(run: Run, since: dt.date) -> OutcomeReport:
    """Write ``outcome_<since>.json``. Raises NothingToDo when there is nothing to compare yet."""
    star = open_star(run)
    last = star.about.last_order
    ledger = read_ledger(run)
    days = ledger.column("cutoff")
    seen = pc.and_(pc.greater_equal(days, pa.scalar(since)), pc.less(days, pa.scalar(last)))
    lists = ledger.filter(seen)
    if not lists.num_rows:
        raise NothingToDo(
            f"No list made since {since} has an order after it (the log ends {last}).",
            "Lists are remembered by gosales whitespace; load newer orders with gosales star.",
        )
    first = _first_lists(lists)
    months = run.settings.labels.window_months
    bought = run.engine.to_arrow(_bought(run, star, first, months))
    threshold = run.settings.labels.gp_min_threshold
    profit = bought.column("gp").to_numpy().astype(np.float64)
    buyer = bought.column("best").to_numpy().astype(np.float64) > threshold
    control = bought.column("control").to_numpy() > 0
    if not control.any() or control.all():
        raise NothingToDo(
            f"The lists since {since} have no control group to compare with.",
            "Set whitespace.control_share (as 0.1) before the next list.",
        )
    report = _report(since, lists, last, months, profit, buyer, control)
    with run.commit("outcome") as change:
        change.json(asdict(report), run.workspace.output(f"outcome_{since}.json"))
    return report


def _first_lists(lists: pa.Table) -> pa.Table:
    """The ledger's rows of each customer's first list."""
    firsts = lists.group_by("customer_id").aggregate([("cutoff", "min")])
    joined = lists.join(firsts, "customer_id").combine_chunks()
    return joined.filter(pc.equal(joined.column("cutoff"), joined.column("cutoff_min")))


def _bought(run: Run, star: Star, first: pa.Table, months: int) -> ir.Table:
    """One row a customer: ``control``, ``gp`` (net, all listed divisions), ``best`` (the
    greatest net profit in one of them)."""
    days = sorted(set(first.column("cutoff").to_pylist()))
    windows = run.engine.from_arrow(
        pa.table(
            {
                "cutoff": pa.array(days, pa.date32()),
                "window_end": pa.array([label_window(day, months).end for day in days]),
            }
        )
    )
    keys = ["customer_id", "division_name", "cutoff", "control"]
    listed = run.engine.from_arrow(first.select(keys)).join(windows, "cutoff")
    lines = star.transactions.select(
        "customer_id", "order_date", "gross_profit", division_name="product_division"
    )
    met = listed.join(lines, ["customer_id", "division_name"])
    inside = met.filter((met.order_date > met.cutoff) & (met.order_date <= met.window_end))
    sums = inside.group_by("customer_id", "division_name").agg(
        net=_.gross_profit.sum().cast("float64")
    )
    pairs = listed.left_join(sums, ["customer_id", "division_name"]).mutate(
        net=_.net.fill_null(0.0)
    )
    return (
        pairs.group_by("customer_id")
        .agg(control=_.control.max(), gp=_.net.sum(), best=_.net.max())
        .order_by(ibis.asc("customer_id"))
    )


def _report(
    since: dt.date,
    lists: pa.Table,
    last: dt.date,
    months: int,
    profit: Floats,
    buyer: npt.NDArray[np.bool_],
    control: npt.NDArray[np.bool_],
) -> OutcomeReport:
    days = sorted(set(lists.column("cutoff").to_pylist()))
    still_open = label_window(days[-1], months).end > last
    handed, held = (
        _group(profit[~control], buyer[~control]),
        _group(profit[control], buyer[control]),
    )
    return OutcomeReport(
        since=since,
        lists=tuple(days),
        open_until=last if still_open else None,
        handed=handed,
        control=held,
        crossed=_crossed(lists),
        buyer_rate_difference=rate_difference(
            handed.buyers, handed.customers, held.buyers, held.customers
        ),
        profit_difference=mean_difference(profit[~control], profit[control]),
    )


def _group(profit: Floats, buyer: npt.NDArray[np.bool_]) -> Group:
    n, total = len(profit), float(np.add.reduce(profit))
    return Group(n, int(buyer.sum()), float(buyer.mean()), round(total, 2), round(total / n, 4))


def _crossed(lists: pa.Table) -> int:
    """Customers held back by their first list and handed out by a later one."""
    first = _first_lists(lists)
    held = first.filter(pc.equal(first.column("control"), 1)).column("customer_id")
    handed = lists.filter(pc.equal(lists.column("control"), 0)).column("customer_id")
    return int(pc.sum(pc.is_in(pc.unique(held), handed)).as_py() or 0)
