"""Phase 1: what happened after each cutoff, for each customer and division.

>>> from gosales.labels import build_labels  # doctest: +SKIP
>>> build_labels(run, ["Solidworks"], [dt.date(2024, 6, 30)])  # doctest: +SKIP
"""

from __future__ import annotations

from gosales.labels.build import (
    LabelReport,
    LabelSummary,
    build_labels,
    check_cutoffs,
    ensure_labels,
)
from gosales.labels.spec import LabelSpec, read_denylist
from gosales.labels.table import COHORTS, first_purchase_counts, label_table

__all__ = [
    "COHORTS",
    "LabelReport",
    "LabelSpec",
    "LabelSummary",
    "build_labels",
    "check_cutoffs",
    "ensure_labels",
    "first_purchase_counts",
    "label_table",
    "read_denylist",
]
