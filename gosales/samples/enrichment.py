"""The enrichment list: what a data vendor knows about the reseller's customers.

Most rows carry the customer's id. Some only its name, some of these spelt a little
differently, so that matching by name and by likeness has work to do; a few customers
are missing, and a few rows are about companies that never bought.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gosales.samples.spec import SimulationSpec
from gosales.samples.world import Customers

__all__ = ["enrichment_table"]

_MISSING = 0.02
_NO_ID = 0.10
_RESPELT = 0.5
_BLANK = 0.03


def enrichment_table(spec: SimulationSpec, people: Customers) -> pa.Table:
    """One row a company, sorted by name.

    customer_id (null in about a tenth), customer_name, industry, industry_sub, size,
    region, territory; a few attributes are null.
    """
    rng = np.random.default_rng([spec.seed, 7])
    listed = np.flatnonzero(rng.random(len(people)) >= _MISSING)
    if not len(listed):
        listed = np.arange(len(people))
    n = len(listed)
    without = rng.random(n) < _NO_ID
    respelt = without & (rng.random(n) < _RESPELT)
    rows = pa.array(listed)
    names = people.name.take(rows)
    columns = {
        "customer_id": pc.if_else(pa.array(without), None, people.code.take(rows)),
        "customer_name": pc.if_else(pa.array(respelt), _respelt(names, rng), names),
    }
    for key, words in people.labels().items():
        blank = rng.random(n) < (_BLANK if key in ("industry_sub", "size") else 0.0)
        columns[key] = pc.if_else(pa.array(blank), None, words.take(rows))
    table = pa.concat_tables([pa.table(columns), _strangers(columns, n // 50)])
    return table.sort_by([("customer_name", "ascending"), ("customer_id", "ascending")])


def _respelt(names: pa.StringArray, rng: np.random.Generator) -> pa.StringArray:
    """Each name in one of the ways in which lists differ."""
    ways: tuple[Callable[[pa.StringArray], pa.StringArray], ...] = (
        pc.utf8_upper,
        lambda text: pc.replace_substring_regex(text, r",? Inc\.?$", " Incorporated"),
        lambda text: pc.replace_substring_regex(text, r"([a-z])([a-z])$", r"\2\1"),
        lambda text: pc.replace_substring_regex(text, r"^(\w{3})\w", r"\1"),
        lambda text: pc.binary_join_element_wise("The", text, " "),
    )
    choice = rng.integers(0, len(ways), len(names))
    cells = names
    for code, way in enumerate(ways):
        cells = pc.if_else(pa.array(choice == code), way(names), cells)
    return cells


def _strangers(columns: dict[str, pa.Array], n: int) -> pa.Table:
    """Companies that are not customers, with other customers' attributes."""
    table = pa.table(columns).slice(0, n)
    numbers = pa.array(np.arange(1, table.num_rows + 1)).cast(pa.string())
    names = pc.binary_join_element_wise("Prospect", numbers, "Holding", " ")
    ids = pa.array([f"9{i:07d}" for i in range(table.num_rows)], pa.string())
    return table.set_column(0, "customer_id", ids).set_column(1, "customer_name", names)
