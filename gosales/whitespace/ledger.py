"""The memory of the lists that were handed out: one row a listed pair and cutoff.

Making the list of a cutoff again replaces that cutoff's rows and looks at earlier cutoffs
only, so a second run changes nothing.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis import _

from gosales.artifacts import require
from gosales.etl.star import Star
from gosales.run import Run

__all__ = ["LEDGER", "overlap", "read_ledger", "resting", "with_list"]

LEDGER = pa.schema(
    {
        "cutoff": pa.date32(),
        "rank": pa.int64(),
        "customer_id": pa.string(),
        "division_name": pa.string(),
        "icp_score": pa.float64(),
        "expected_gp": pa.float64(),
        "control": pa.int8(),
    }
)
KEYS = ["customer_id", "division_name"]


def read_ledger(run: Run) -> pa.Table:
    """Every list so far, by cutoff and rank; empty when none was made."""
    path = run.workspace.output("whitespace_ledger.parquet")
    if not path.exists():
        return LEDGER.empty_table()
    # Not an artifact that can be made again: its own inputs may have moved on since.
    return pq.read_table(require(run.workspace, path, "gosales whitespace"))


def with_list(ledger: pa.Table, cutoff: dt.date, listed: pa.Table) -> pa.Table:
    """The ledger with this list in the place of the same cutoff's earlier one."""
    others = ledger.filter(pc.not_equal(ledger.column("cutoff"), pa.scalar(cutoff)))
    days = pa.array([cutoff] * listed.num_rows, pa.date32())
    now = pa.table(
        {
            "cutoff": days,
            "rank": listed.column("rank"),
            "customer_id": listed.column("customer_id"),
            "division_name": listed.column("whitespace_division"),
            "icp_score": listed.column("icp_score"),
            "expected_gp": listed.column("expected_gp"),
            "control": listed.column("control"),
        }
    )
    whole = pa.concat_tables([others, now.cast(LEDGER)])
    return whole.sort_by([("cutoff", "ascending"), ("rank", "ascending")])


def resting(run: Run, star: Star, cutoff: dt.date) -> ir.Table | None:
    """(customer_id, division_name) that rest: handed out at an earlier cutoff within
    ``whitespace.cooldown_days``, and the customer has not ordered since. None when off.
    """
    days = run.settings.whitespace.cooldown_days
    if not days:
        return None
    ledger = read_ledger(run)
    first = cutoff - dt.timedelta(days=days)
    cutoffs = ledger.column("cutoff")
    lately = pc.and_(
        pc.and_(pc.greater_equal(cutoffs, pa.scalar(first)), pc.less(cutoffs, pa.scalar(cutoff))),
        pc.equal(ledger.column("control"), 0),
    )
    handed = run.engine.from_arrow(ledger.filter(lately).select(["cutoff", *KEYS]))
    handed = handed.group_by(*KEYS).agg(handed_on=_.cutoff.max())
    lines = star.transactions.filter(_.order_date <= ibis.literal(cutoff))
    orders = lines.group_by("customer_id").agg(last_order=_.order_date.max())
    joined = handed.left_join(orders, "customer_id").drop("customer_id_right")
    acted = (joined.last_order > joined.handed_on).fill_null(False)
    return run.engine.cache(joined.filter(~acted).select(*KEYS))


def overlap(ledger: pa.Table, cutoff: dt.date, listed: pa.Table) -> dict[str, object] | None:
    """How much of the list before this one is on this one too; None without one before."""
    earlier = ledger.filter(pc.less(ledger.column("cutoff"), pa.scalar(cutoff)))
    if not earlier.num_rows:
        return None
    last = pc.max(earlier.column("cutoff"))
    before = earlier.filter(pc.equal(earlier.column("cutoff"), last))
    old = set(zip(*(before.column(name).to_pylist() for name in KEYS), strict=True))
    new = set(
        zip(
            listed.column("customer_id").to_pylist(),
            listed.column("whitespace_division").to_pylist(),
            strict=True,
        )
    )
    return {
        "previous_cutoff": str(last.as_py()),
        "kept_share": round(len(old & new) / len(old), 6),
        "jaccard": round(len(old & new) / len(old | new), 6),
    }
