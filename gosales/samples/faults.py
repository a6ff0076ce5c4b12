"""Rows that no reader can accept, planted to see what becomes of them.

Each is a copy of a sound document's head and first line under an invoice number of its
own, with one cell spoiled: a log without its faulty rows is the same log without faults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gosales.samples.spec import SimulationSpec

__all__ = ["FAULTS", "SPOILED_DATES", "Faults", "plan_faults"]

FAULTS = (
    "unparseable_date",
    "unparseable_money",
    "missing_customer",
    "future_date",
    "early_date",
)
"""The kinds of fault, planted in turn; a fault's code is its place here plus one."""

SPOILED_DATES = {1: "31/31/2024", 4: "2099-01-01", 5: "1900-01-01"}
"""What stands in the date's cell, by code."""


@dataclass(frozen=True)
class Faults:
    """One element a faulty row: the document that it copies, in order, and its code."""

    document: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]


def plan_faults(spec: SimulationSpec, documents: int) -> Faults:
    """Which documents get a spoiled copy: a share of ``spec.faults``, the kinds in turn."""
    rng = np.random.default_rng([spec.seed, 5])
    n = round(spec.faults * documents)
    chosen = rng.permutation(documents)[:n] if n else np.zeros(0, np.int64)
    code = np.arange(n) % len(FAULTS) + 1
    order = np.argsort(chosen)
    return Faults(chosen[order].astype(np.int64), code[order])
