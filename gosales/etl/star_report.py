"""What a run of Phase 0 did, for its screen and for ``star.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gosales.etl.curate import Curated

__all__ = ["StarReport", "report_of"]


@dataclass(frozen=True)
class StarReport:
    """What a run of Phase 0 did; row counts are source rows, money is gross profit."""

    built: bool
    rows_read: int = 0
    rows_curated: int = 0
    rows_quarantined: int = 0
    rows_set_aside: int = 0
    quarantined_by_rule: dict[str, int] = field(default_factory=dict)
    transactions: int = 0
    customers: int = 0
    divisions: tuple[str, ...] = ()
    money_read: Decimal = Decimal(0)
    money_curated: Decimal = Decimal(0)
    money_quarantined: Decimal = Decimal(0)


def report_of(curated: Curated) -> StarReport:
    """The report of a star whose tables are written and counted."""
    counts = curated.accounting
    return StarReport(
        built=True,
        rows_read=counts.total_read,
        rows_curated=counts.total_curated,
        rows_quarantined=counts.total_rejected,
        rows_set_aside=counts.total_aside,
        quarantined_by_rule=counts.by_rule(),
        transactions=counts.tables["fact_transactions"],
        customers=counts.tables["dim_customer"],
        divisions=tuple(curated.about["divisions"]),
        money_read=curated.money_curated + curated.money_quarantined,
        money_curated=curated.money_curated,
        money_quarantined=curated.money_quarantined,
    )
