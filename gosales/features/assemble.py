"""From a cutoff's blocks to matrices: derived features, caps, flags, and what is left out.

The engines have aggregated; from here on it is arithmetic on ready columns of sorted rows, and
the shared columns are made ready once for all targets (docs/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.checksum import column_sha256, content_of
from gosales.features.attributes import Attributes
from gosales.features.catalog import Feature, Floats, is_core, missing_flag
from gosales.features.known import Known
from gosales.features.winsor import learn_cap
from gosales.settings import FeatureSettings

__all__ = ["Column", "Matrix", "Shared", "matrix", "open_shared"]


@dataclass(frozen=True)
class Column:
    """A column as it is written, and what there is to say of it."""

    feature: Feature
    values: pa.Array
    sha256: bytes
    lowest: float | None
    highest: float | None

    @property
    def name(self) -> str:
        return self.feature.name

    @property
    def is_constant(self) -> bool:
        nulls = self.values.null_count
        return nulls == len(self.values) or (nulls == 0 and self.lowest == self.highest)


@dataclass(frozen=True)
class Shared:
    """What all targets of a cutoff share; ``numbers`` are those of its customers, in order."""

    numbers: npt.NDArray[np.int32]
    customers: pa.Array
    customers_sha256: bytes
    known: Known
    columns: tuple[Column, ...]
    caps: dict[str, float | None]


@dataclass(frozen=True)
class Matrix:
    """``customer_id`` and the features, sorted; with what was learnt and left out on the way.

    ``left_out`` names each declared feature that is not there, why, its place among all, and
    what makes it again: a value, or the column that it equals.
    """

    table: pa.Table
    features: tuple[Feature, ...]
    caps: dict[str, float | None]
    learnt: dict[str, Any]
    left_out: list[dict[str, Any]]
    checksum: str

    @property
    def coverage(self) -> dict[str, float]:
        """Share of customers for whom a feature is known."""
        rows = self.table.num_rows
        return {f.name: 1 - self.table[f.name].null_count / rows for f in self.features}


def open_shared(
    block: pa.Table,
    customers: pa.Array,
    features: Sequence[Feature],
    attributes: Attributes,
    settings: FeatureSettings,
) -> Shared:
    """Make the shared block ready; ``features`` are those that it has or derives.

    ``customers``: the id of each number.
    """
    numbers = block["customer"].to_numpy()
    customers = customers.take(pa.array(numbers))
    names = [f.name for f in features if f.derive is None]
    known = Known({name: _floats(block[name]) for name in names})
    attributes.place(customers, known)
    columns, caps = _finish(features, known, settings)
    return Shared(numbers, customers, column_sha256(customers), known, columns, caps)


def matrix(
    shared: Shared,
    own: Sequence[pa.Table],
    target: str,
    features: Sequence[Feature],
    settings: FeatureSettings,
) -> Matrix:
    """The matrix of a target (a slug): the shared columns, then ``features``, its own.

    ``own`` are blocks of ``customer`` (its number) and some of the features, each with some
    customers.
    """
    known = Known(dict(shared.known.columns), target)
    for feature in features:
        if feature.derive is None:
            empty = np.nan if feature.null_when else 0.0
            known.columns[feature.name] = np.full(len(shared.customers), empty)
    for block in own:
        _spread(block, shared.numbers, known)
    columns, caps = _finish(features, known, settings)
    every = (*shared.columns, *columns)
    kept, left_out = _leave_out(every)
    digests = [("customer_id", pa.string(), shared.customers_sha256)]
    digests += [(c.name, c.values.type, c.sha256) for c in kept]
    return Matrix(
        table=pa.table({"customer_id": shared.customers} | {c.name: c.values for c in kept}),
        features=tuple(c.feature for c in kept),
        caps=shared.caps | caps,
        learnt=shared.known.learnt | known.learnt,
        left_out=left_out,
        checksum=content_of(digests),
    )


def _spread(block: pa.Table, numbers: npt.NDArray[np.int32], known: Known) -> None:
    """A block that knows some customers, over all of them."""
    if block.num_rows:
        places = np.searchsorted(numbers, block["customer"].to_numpy())
        for name in block.column_names:
            if name != "customer":
                known.columns[name][places] = _floats(block[name])


def _finish(
    features: Sequence[Feature], known: Known, settings: FeatureSettings
) -> tuple[tuple[Column, ...], dict[str, float | None]]:
    """Derive, cap and flag."""
    for feature in features:
        if feature.derive is not None:
            known.columns[feature.name] = feature.derive(known)
    columns, caps = [], {}
    for feature in features:
        values = known[feature.name]
        if feature.is_money:
            cap = caps[feature.name] = learn_cap(values, settings.gp_winsor_p)
            values = values if cap is None else np.minimum(values, cap)
        columns.append(_column(feature, values))
    if settings.missing_flags:
        flags = [missing_flag(f) for f in features if f.null_when]
        columns += [_column(f, f.derive(known)) for f in flags if f.derive]
    return tuple(columns), caps


def _column(feature: Feature, values: Floats) -> Column:
    array = pa.array(values, from_pandas=True)
    ends = pc.min_max(array).as_py()
    return Column(feature, array, column_sha256(array), ends["min"], ends["max"])


def _leave_out(columns: Iterable[Column]) -> tuple[list[Column], list[dict[str, Any]]]:
    """Constants and repetitions tell a model nothing; names fixed by the contract stay.

    A division that nobody bought from by the cutoff is not known there: not even its name.
    """
    every = list(columns)
    unsold = {
        c.feature.scope
        for c in every
        if (c.feature.family, c.feature.measure) == ("xdiv", "recency_days")
        and c.values.null_count == len(c.values)
    }
    reasons = [_dull(column, unsold) for column in every]
    # Only what stays can stand for its copies; a name of the contract comes first.
    first: dict[bytes, str] = {}
    staying = [c for c, why in zip(every, reasons, strict=True) if why is None]
    for column in sorted(staying, key=lambda c: not is_core(c.name)):
        first.setdefault(column.sha256, column.name)
    kept, left_out = [], []
    for place, (column, why) in enumerate(zip(every, reasons, strict=True)):
        if why is None and not is_core(column.name) and first[column.sha256] != column.name:
            why = {"why": "duplicate", "of": first[column.sha256]}
        if why is None:
            kept.append(column)
        else:
            left_out.append({"name": column.name, "place": place} | why)
    return kept, left_out


def _dull(column: Column, unsold: set[str]) -> dict[str, Any] | None:
    """Why the column tells nothing by itself, and what it holds; None when it does tell."""
    if column.feature.scope in unsold:
        return {"why": "not sold by the cutoff", "value": column.lowest}
    if is_core(column.name):
        return None
    if column.is_constant:
        return {"why": "constant", "value": column.lowest}
    if column.lowest == column.highest == column.feature.dull:
        return {"why": f"always {column.lowest:g}", "value": None}
    return None


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.to_numpy()
    return values
