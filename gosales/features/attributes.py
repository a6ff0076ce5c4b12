"""What is known of a customer beside its orders: industry, size, region, whatever a list says.

The columns are those that enrichment put into dim_customer. A text with few values becomes
rates of its group, learnt from what the group's customers did by the cutoff (never from a
label), and flags of the commonest values; a number stays a number. dim_customer's own sums
are of the whole log and are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.engine import Engine
from gosales.features.catalog import Feature, Floats
from gosales.features.known import Known
from gosales.features.shrinkage import learn_prior, shrunk
from gosales.workspace import slug

__all__ = ["Attribute", "Attributes", "declare", "open_attributes"]

Ints = npt.NDArray[np.int64]
OWN_OF_THE_STAR = {
    "customer_id", "customer_name", "customer_name_key", "enrichment_match", "enrichment_score",
    "first_order_date", "last_order_date", "orders", "gross_profit",
}  # fmt: skip
# Fewest customers behind a flag, and on average behind a rate.
FEW = 5
# Values that may get a flag at some cutoff; at each, only the commonest do.
MOST_VALUES = 20
ORDERS, OWN_ORDERS = "rfm__all__tx_n__12m", "rfm__div__tx_n__12m"
PROFIT, OWN_PROFIT = "rfm__all__gp_sum__12m", "rfm__div__gp_sum__12m"
UNITS = 10_000


@dataclass(frozen=True)
class Attribute:
    """A column by its slug; ``values`` are the commonest texts, none for a number.

    ``codes`` are their numbers: the places among all texts of the column, by alphabet.
    """

    name: str
    values: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()

    @property
    def column(self) -> str:
        """Its place among the known columns: the number itself, or its text's number."""
        return f"attribute {self.name}"


@dataclass(frozen=True)
class Attributes:
    """The attributes of all customers; ``columns`` are floats, in the order of ``each``."""

    customers: pa.Array
    each: tuple[Attribute, ...]
    columns: tuple[Floats, ...]

    def place(self, customers: pa.Array, known: Known) -> None:
        """Put them beside the known columns of these customers."""
        if self.each:
            places = pc.index_in(customers, value_set=self.customers).to_numpy()
            for attribute, column in zip(self.each, self.columns, strict=True):
                known.columns[attribute.column] = column[places]


def open_attributes(customers: ir.Table, engine: Engine) -> Attributes:
    """From dim_customer; a text that fewer than five customers share is no attribute."""
    schema = customers.schema()
    found = [
        name
        for name in customers.columns
        if name not in OWN_OF_THE_STAR and (schema[name].is_string() or schema[name].is_numeric())
    ]
    table = engine.to_arrow(customers.select("customer_id", *found)).combine_chunks()
    each, columns, taken = [], [], set[str]()
    for name in found:
        attribute, column = _read(_free(slug(name).strip("_"), taken), table[name])
        if schema[name].is_numeric() or attribute.values:
            each.append(attribute)
            columns.append(column)
    return Attributes(table["customer_id"].combine_chunks(), tuple(each), tuple(columns))


def _read(name: str, column: pa.ChunkedArray) -> tuple[Attribute, Floats]:
    if not pa.types.is_string(column.type):
        return Attribute(name), column.cast(pa.float64()).to_numpy()
    counts = column.drop_null().value_counts()
    texts, times = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
    many = dict(zip(texts, times, strict=True))
    every = sorted(many)
    common = sorted((text for text in every if many[text] >= FEW), key=lambda text: -many[text])
    values = tuple(sorted(common[:MOST_VALUES]))
    places = {text: code for code, text in enumerate(every)}
    codes = pc.index_in(column, value_set=pa.array(every, pa.string()))
    numbers: Floats = codes.cast(pa.float64()).to_numpy()
    return Attribute(name, values, tuple(places[text] for text in values)), numbers


def _free(name: str, taken: set[str]) -> str:
    """The name, numbered where two columns or texts would have the same."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def declare(attributes: Sequence[Attribute], top_n: int) -> list[Feature]:
    """The features of the attributes: a cutoff leaves out those that it cannot learn."""
    found = []
    for attribute in attributes:
        words = attribute.name.replace("_", " ")
        if not attribute.values:
            found.append(
                Feature(
                    "attr", "all", f"{attribute.name}_value", "life", "number", words,
                    derive=partial(_number, attribute),
                    null_when=f"{words} is not known",
                )
            )  # fmt: skip
            continue
        found += _rates(attribute, words)
        taken = set[str]()
        found += [
            Feature(
                "attr", "all", f"{attribute.name}_is_{_free(slug(text).strip('_'), taken)}",
                "life", "flag", f"1 if {words} is {text}",
                derive=partial(_is, attribute, code, top_n),
            )
            for code, text in zip(attribute.codes, attribute.values, strict=True)
        ]  # fmt: skip
    return found


def _rates(attribute: Attribute, words: str) -> list[Feature]:
    unknown = f"{words} is not known, or has too many values"
    rows = (
        ("all", "active_rate", "that ordered", partial(_active, attribute, ORDERS)),
        ("div", "active_rate", "that ordered in this division",
         partial(_active, attribute, OWN_ORDERS)),
        ("div", "gp_share", "", partial(_profit, attribute)),
    )  # fmt: skip
    return [
        Feature(
            "attr", scope, f"{attribute.name}_{measure}", "12m", "share",
            f"share of customers with the same {words} {what} in the last 12 months, smoothed"
            if what
            else f"share of gross profit from this division of customers with the same {words} "
            "in the last 12 months, smoothed",
            derive=derive,
            null_when=unknown,
        )
        for scope, measure, what, derive in rows
    ]  # fmt: skip


def _number(attribute: Attribute, known: Known) -> Floats:
    return known[attribute.column]


def _is(attribute: Attribute, code: int, top_n: int, known: Known) -> Floats:
    """The flag of a value that is among the commonest at the cutoff; else 0 for everyone."""
    codes = known[attribute.column]
    counts = np.bincount(_whole(codes[~np.isnan(codes)]), minlength=code + 1)
    # The first of equally common ones.
    commonest = np.argsort(-counts, kind="stable")[:top_n]
    shown = code in commonest and counts[code] >= FEW
    flag: Floats = (codes == code).astype(np.float64) if shown else np.zeros(len(codes))
    return flag


def _active(attribute: Attribute, orders: str, known: Known) -> Floats:
    return _smoothed(attribute, known, known[orders] > 0, None)


def _profit(attribute: Attribute, known: Known) -> Floats:
    own, every = (np.maximum(known[name], 0.0) for name in (OWN_PROFIT, PROFIT))
    return _smoothed(attribute, known, own, every)


def _smoothed(
    attribute: Attribute, known: Known, part: npt.NDArray[np.generic], whole: Floats | None
) -> Floats:
    """Of each customer's group: part over whole (over customers without one), shrunk towards
    all groups' with the group's customers as trials."""
    codes = known[attribute.column]
    there = ~np.isnan(codes)
    group = _whole(codes[there])
    size = np.bincount(group)
    if np.count_nonzero(size) * FEW > len(group):
        return codes * np.nan
    above = _sums(part[there], group, len(size))
    below = size.astype(np.float64) if whole is None else _sums(whole[there], group, len(size))
    shares = np.divide(above, below, out=np.full(len(size), np.nan), where=below > 0)
    shares = np.minimum(shares, 1.0)
    trials = size.astype(np.float64)
    rates = shrunk(shares, trials, learn_prior(shares, trials))
    found = codes * np.nan
    found[there] = rates[group]
    return found


def _sums(values: npt.NDArray[np.generic], group: Ints, groups: int) -> Floats:
    """Sums in whole ten-thousandths: exact, the same in any order of the customers."""
    whole = np.rint(values.astype(np.float64) * UNITS).astype(np.int64)
    total = np.zeros(groups, dtype=np.int64)
    np.add.at(total, group, whole)
    return total / UNITS


def _whole(codes: Floats) -> Ints:
    return codes.astype(np.int64)
