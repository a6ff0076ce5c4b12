"""How the reseller's system writes cells: money, dates, ids and names as people find them.

Everything here can be read back without loss by a careful reader that takes dates
month first; what cannot is planted by `gosales.samples.faults`. All functions work on
whole columns and return text, quoted where CSV needs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["customer_cells", "date_cells", "id_cells", "money_cells", "number_cells", "quoted"]

Ints = npt.NDArray[np.integer[Any]]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OPEN = ("", "$", " ", "$ ", "-", "-$", "(", "($")
_CLOSE = ("", "", "", " ", "", "", ")", ")")


def quoted(cells: pa.StringArray) -> pa.StringArray:
    """Quotes around the cells that hold a comma."""
    mask = pc.match_substring(cells, ",")
    return pc.if_else(mask, pc.binary_join_element_wise('"', cells, '"', ""), cells)


def money_cells(cents: Ints, mess: float, rng: np.random.Generator) -> pa.StringArray:
    """Cents as ``1234.50``, ``$1,234.50`` or `` 1,234.50``; below zero with ``-`` or brackets."""
    n = len(cents)
    dollars, rest = np.divmod(np.abs(cents), 100)
    grouped = rng.random(n) < 0.6 * mess
    thousands, units = np.divmod(dollars, 1000)
    comma = grouped & (dollars > 999)
    millions, middle = np.divmod(thousands, 1000)
    head = _digits(np.where(comma, thousands, dollars))
    if comma.any() and int(millions[comma].max()) > 0:
        long = pc.binary_join_element_wise(_digits(millions), _three(middle), ",")
        head = pc.if_else(pa.array(comma & (millions > 0)), long, head)
    tail = pc.if_else(
        pa.array(comma), pc.binary_join_element_wise(",", _three(units), ""), pa.scalar("")
    )
    sign = rng.random(n)
    style = np.where(sign < 0.35 * mess, 1, np.where(sign < 0.4 * mess, 2, 0))
    style = np.where((sign >= 0.4 * mess) & (sign < 0.42 * mess), 3, style)
    below = np.where(sign < 0.5 * mess, 6, np.where(sign < 0.7 * mess, 7, 4))
    below = np.where((sign >= 0.7 * mess) & (sign < 0.8 * mess), 5, below)
    style = pa.array(np.where(cents < 0, below, style))
    cells = pc.binary_join_element_wise(
        pa.array(_OPEN).take(style), head, tail, ".", _two(rest), pa.array(_CLOSE).take(style), ""
    )
    return quoted(cells)


def number_cells(numbers: Ints, mess: float, rng: np.random.Generator) -> pa.StringArray:
    """Whole numbers, some as spreadsheets leave them: ``3.0``."""
    dotted = rng.random(len(numbers)) < 0.1 * mess
    return pc.binary_join_element_wise(_digits(numbers), _either(dotted, ".0", ""), "")


def date_cells(day: Ints, mess: float, rng: np.random.Generator) -> pa.StringArray:
    """Days since 1970 as ``2024-03-05``, ``03/05/2024`` or ``05-Mar-2024``."""
    dates = day.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    year = _digits(months.astype("datetime64[Y]").astype(np.int64) + 1970)
    number = months.astype(np.int64) % 12
    month, short = _two(number + 1), pa.array(_MONTHS).take(pa.array(number))
    date = _two((dates - months).astype(np.int64) + 1)
    draw = rng.random(len(day))
    cells = pc.binary_join_element_wise(year, month, date, "-")
    us = pc.binary_join_element_wise(month, date, year, "/")
    cells = pc.if_else(pa.array(draw < 0.3 * mess), us, cells)
    named = pc.binary_join_element_wise(date, short, year, "-")
    cells = pc.if_else(pa.array(draw < 0.12 * mess), named, cells)
    return _spaced(cells, 0.01 * mess, rng)


def id_cells(codes: pa.StringArray, mess: float, rng: np.random.Generator) -> pa.StringArray:
    """Customer ids as they are, or ``123.0`` (never with a leading zero), or `` 123 ``."""
    dotted = rng.random(len(codes)) < 0.08 * mess
    dotted &= ~np.asarray(pc.starts_with(codes, "0"))
    cells = pc.binary_join_element_wise(codes, _either(dotted, ".0", ""), "")
    return _spaced(cells, 0.06 * mess, rng)


def customer_cells(
    codes: pa.StringArray, names: pa.StringArray, mess: float, rng: np.random.Generator
) -> pa.StringArray:
    """``Acme Corp``, or with the id before it, ``497588 Acme Corp``; stray spaces."""
    numbered = pc.binary_join_element_wise(codes, names, " ")
    cells = pc.if_else(pa.array(rng.random(len(codes)) < 0.4 * mess), numbered, names)
    return quoted(_spaced(cells, 0.05 * mess, rng))


def _spaced(cells: pa.StringArray, share: float, rng: np.random.Generator) -> pa.StringArray:
    """A share of the cells with blanks around them."""
    blank = _either(rng.random(len(cells)) < share, " ", "")
    return pc.binary_join_element_wise(blank, cells, blank, "")


def _either(choice: npt.NDArray[np.bool_], yes: str, no: str) -> pa.StringArray:
    return pa.array([no, yes]).take(pa.array(choice.astype(np.int8)))


def _digits(numbers: Ints) -> pa.StringArray:
    return pa.array(numbers).cast(pa.string())


_PADDED = pa.array([f"{n:03d}" for n in range(1000)])


def _three(numbers: Ints) -> pa.StringArray:
    return _PADDED.take(pa.array(numbers))


_PAIRS = pa.array([f"{n:02d}" for n in range(100)])


def _two(numbers: Ints) -> pa.StringArray:
    return _PAIRS.take(pa.array(numbers))
