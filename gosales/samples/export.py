"""The wide ``Sales_Log.csv``: one row a document, a profit and a quantity column a product."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.samples import mess
from gosales.samples.catalog import DIVISIONS, PRODUCTS
from gosales.samples.faults import FAULTS, SPOILED_DATES, Faults, plan_faults
from gosales.samples.simulation import Simulation

__all__ = ["HEADER", "write_log"]

Ints = npt.NDArray[np.integer[Any]]

HEADER = (
    "Invoice", "CustomerId", "Customer", "Rec Date", "Division", "Region", "Rep",
    *(column for p in PRODUCTS for column in (p.sku, p.quantity)),
)  # fmt: skip
_CHUNK = 50_000
_EMPTY = (",", "0,0", "0.00,0")
"""The two cells of a product that is not on the document, in three exports' manners."""
_DUPLICATES = 0.002


@dataclass(frozen=True)
class _Sheet:
    """The rows of a chunk before they are put in order: documents, then faulty copies.

    ``document`` counts in the whole log; ``line_row`` and ``line`` say which line of the
    log stands in which row; ``code`` is 0 for sound rows.
    """

    document: Ints
    code: Ints
    line: Ints
    line_row: Ints


def write_log(simulation: Simulation, path: Path) -> tuple[int, int, pa.Table]:
    """Write the log, a chunk of documents at a time.

    Returns its data rows, how many of them repeat the row before exactly, and the
    planted faults (source_row counted from 1, fault).
    """
    spec, n = simulation.spec, len(simulation.invoices.day)
    faults = plan_faults(spec, n)
    people = {**simulation.people.labels(), "rep": simulation.people.rep()}
    rows = duplicates = 0
    fault_rows: list[Ints] = []
    fault_codes: list[Ints] = []
    with path.open("wb") as file:
        file.write((",".join(HEADER) + "\n").encode())
        for chunk, start in enumerate(range(0, n, _CHUNK)):
            rng = np.random.default_rng([spec.seed, 6, chunk])
            sheet = _sheet(simulation, faults, start, min(start + _CHUNK, n))
            cells = [
                *_head_cells(simulation, sheet, people, rng),
                *_product_cells(simulation, sheet, rng),
            ]
            text = pc.binary_join_element_wise(*cells, ",")
            text = pc.binary_join_element_wise(text, "", "\n")
            order = _order(simulation, sheet, rng)
            file.write(text.take(pa.array(order)).buffers()[2])
            code = sheet.code[order]
            fault_rows.append(rows + 1 + np.flatnonzero(code))
            fault_codes.append(code[code > 0])
            rows += len(order)
            duplicates += len(order) - len(sheet.document)
    names = pa.array(FAULTS).take(pa.array(np.concatenate(fault_codes) - 1))
    return rows, duplicates, pa.table({"source_row": np.concatenate(fault_rows), "fault": names})


def _sheet(simulation: Simulation, faults: Faults, start: int, stop: int) -> _Sheet:
    """The rows for the documents from ``start`` up to ``stop``."""
    owner = simulation.items.document
    line = np.arange(*np.searchsorted(owner, [start, stop]))
    chosen = slice(*np.searchsorted(faults.document, [start, stop]))
    copied = faults.document[chosen]
    own = stop - start
    return _Sheet(
        document=np.concatenate([np.arange(start, stop), copied]),
        code=np.concatenate([np.zeros(own, np.int64), faults.code[chosen]]),
        line=np.concatenate([line, np.searchsorted(owner, copied)]),
        line_row=np.concatenate([owner[line] - start, own + np.arange(len(copied))]),
    )


def _order(simulation: Simulation, sheet: _Sheet, rng: np.random.Generator) -> Ints:
    """The sheet's rows as they stand in the file: a faulty copy after its document, a few
    sound sales twice (refunds never, lest they outweigh what they refund)."""
    order = np.lexsort((sheet.code > 0, sheet.document))
    sound = (sheet.code == 0) & ~simulation.invoices.refund[sheet.document]
    twice = sound & (rng.random(len(order)) < _DUPLICATES * simulation.spec.mess)
    return np.repeat(order, 1 + twice[order])


def _head_cells(
    simulation: Simulation,
    sheet: _Sheet,
    people: dict[str, pa.StringArray],
    rng: np.random.Generator,
) -> list[pa.StringArray]:
    """The columns before the products."""
    untidy, invoices = simulation.spec.mess, simulation.invoices
    customer = pa.array(invoices.customer[sheet.document])
    sound = int((sheet.code == 0).sum())
    first = int(sheet.document[0])
    invoice = simulation.invoice_ids(first, first + sound)
    invoice = invoice.take(pa.array(sheet.document - first))
    copied = pc.binary_join_element_wise("FX", invoice, "-")
    code, name = simulation.people.code.take(customer), simulation.people.name.take(customer)
    nobody = pa.array(sheet.code == FAULTS.index("missing_customer") + 1)
    date = mess.date_cells(invoices.day[sheet.document], untidy, rng)
    for fault, text in SPOILED_DATES.items():
        date = pc.if_else(pa.array(sheet.code == fault), text, date)
    division = pa.array([d.name for d in DIVISIONS]).take(
        pa.array(invoices.division[sheet.document])
    )
    return [
        pc.if_else(pa.array(sheet.code > 0), copied, invoice),
        pc.if_else(nobody, "", mess.id_cells(code, untidy, rng)),
        pc.if_else(nobody, "", mess.customer_cells(code, name, untidy, rng)),
        date,
        division,
        people["region"].take(customer),
        people["rep"].take(customer),
    ]


def _product_cells(
    simulation: Simulation, sheet: _Sheet, rng: np.random.Generator
) -> list[pa.StringArray]:
    """For each product its two cells and the comma between them."""
    untidy, items = simulation.spec.mess, simulation.items
    money = mess.money_cells(items.cents[sheet.line], untidy, rng)
    wrong = sheet.code[sheet.line_row] == FAULTS.index("unparseable_money") + 1
    money = pc.if_else(pa.array(wrong), "abc", money)
    quantity = mess.number_cells(items.quantity[sheet.line], untidy, rng)
    pairs = pc.binary_join_element_wise(money, quantity, ",")
    words = pa.concat_arrays([pa.array(_EMPTY), pairs])

    manner = rng.random(len(sheet.document))
    empty = np.where(manner < 0.1 * untidy, 1, 0) + np.where(manner < 0.05 * untidy, 1, 0)
    product = items.product[sheet.line]
    by_product = np.argsort(product, kind="stable")
    bounds = np.searchsorted(product[by_product], np.arange(len(PRODUCTS) + 1))
    columns = []
    for low, high in pairwise(bounds):
        lines = by_product[low:high]
        word = empty.astype(np.int32)
        word[sheet.line_row[lines]] = len(_EMPTY) + lines
        columns.append(words.take(pa.array(word)))
    return columns
