"""From artifacts to matrices: one function builds the design for training and for scoring.

``load_design`` reads a features artifact; ``load_frame`` joins the labels artifacts, the only
target there is. Rows of customers without any history (new logos) have no features and rows
with a censored window have no answer yet; rows at a cutoff before the division's first sale
would teach its launch. None of them is trained on, all are counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gosales.artifacts import require
from gosales.checksum import parquet_batches, parquet_files
from gosales.errors import StaleArtifact
from gosales.features import read_features
from gosales.months import label_window
from gosales.run import Run

__all__ = [
    "OWNED_SOURCE",
    "Design",
    "Floats",
    "Frame",
    "Ints",
    "Singles",
    "customer_draw",
    "load_design",
    "load_frame",
]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
# Orders in the division ever: a customer with one owns the division.
OWNED_SOURCE = "rfm__div__tx_n__life"
KEYS = ("customer_id",)


@dataclass(frozen=True)
class Design:
    """The features of a division at a cutoff: ``x`` is (customers, features), NaN where null.

    Matrices hold single precision, in training as in scoring.
    """

    names: tuple[str, ...]
    types: dict[str, str]
    customers: npt.NDArray[np.object_]
    x: Singles

    def owned(self) -> Bools:
        """Whether the customer ever ordered in the division, as the features see it."""
        owned: Bools = self.x[:, self.names.index(OWNED_SOURCE)] > 0
        return owned


@dataclass(frozen=True)
class Frame:
    """Labelled rows of a division, sorted by (cutoff, customer); every array has a row each.

    ``cutoff`` indexes ``cutoffs``, ``code`` numbers the customers; ``gp`` is the net gross
    profit of the division in the label window. ``left_out`` counts rows that cannot train.
    """

    division: str
    window_months: int
    names: tuple[str, ...]
    types: dict[str, str]
    x: Singles
    customers: npt.NDArray[np.object_]
    code: Ints
    cutoffs: tuple[dt.date, ...]
    cutoff: Ints
    label: Floats
    gp: Floats
    owned: Bools
    left_out: dict[str, int]
    launch: tuple[tuple[dt.date, float], ...] = ()

    def cutoff_rows(self, cutoff: dt.date) -> Ints:
        return np.flatnonzero(self.cutoff == self.cutoffs.index(cutoff))

    @property
    def n_customers(self) -> int:
        return int(self.code.max()) + 1 if len(self.code) else 0

    @cached_property
    def draw(self) -> Floats:
        """A number in [0, 1) a row that depends on the customer alone (see ``slices``)."""
        _, first = np.unique(self.code, return_index=True)
        return customer_draw(self.customers[first])[self.code]

    @cached_property
    def day(self) -> Ints:
        """The ordinal day of each row's cutoff."""
        return np.array([day.toordinal() for day in self.cutoffs], dtype=np.int64)[self.cutoff]


def customer_draw(customers: npt.NDArray[np.object_]) -> Floats:
    """A number in [0, 1) from each customer's id: the same in every division and every run."""
    hashes = [blake2b(str(one).encode(), digest_size=8).digest() for one in customers]
    whole = np.frombuffer(b"".join(hashes), dtype="<u8") >> np.uint64(11)
    draw: Floats = whole.astype(np.float64) / 2.0**53
    return draw


def load_design(run: Run, division: str, cutoff: dt.date) -> Design:
    """Every declared feature of the artifact, those that it leaves out too; rows by customer."""
    made_by = f'gosales features --division "{division}" --cutoff {cutoff}'
    path = run.workspace.features(division, cutoff)
    table = read_features(run, division, cutoff)
    fields = [field for field in table.schema if field.name not in KEYS]
    for field in fields:
        if not (pa.types.is_floating(field.type) or pa.types.is_integer(field.type)):
            raise StaleArtifact(
                f"{run.workspace.relative(path)}: '{field.name}' is {field.type}, not a number.",
                f"Make it again with: {made_by}",
            )
    names = tuple(field.name for field in fields)
    if OWNED_SOURCE not in names:
        raise StaleArtifact(
            f"{run.workspace.relative(path)} lacks '{OWNED_SOURCE}'.",
            f"Make it again with: {made_by}",
        )
    x = np.empty((table.num_rows, len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        x[:, place] = _floats(table.column(name))
    types = {field.name: str(field.type) for field in fields}
    return Design(names, types, _texts(table.column("customer_id")), x)


def load_frame(run: Run, division: str, cutoffs: Sequence[dt.date], window_months: int) -> Frame:
    """Designs and labels of all cutoffs, one below the other.

    Raises StaleArtifact when an artifact does not fit the others: another window length,
    other features, or labelled customers without features.
    """
    parts: list[dict[str, Any]] = []
    left_out = {"censored": 0, "new_logo": 0, "before_launch": 0}
    launch: list[tuple[dt.date, float]] = []
    names: tuple[str, ...] = ()
    types: dict[str, str] = {}
    for place, cutoff in enumerate(cutoffs):
        design = load_design(run, division, cutoff)
        if place and design.names != names:
            raise StaleArtifact(
                f"The features of {division} at {cutoff} have other columns than at {cutoffs[0]}.",
                f'Make them again with: gosales features --division "{division}"',
            )
        names, types = design.names, design.types
        labels = _labels(run, division, cutoff, window_months)
        censored, new = labels["censored_flag"] > 0, labels["is_new_logo"] > 0
        left_out["censored"] += int(censored.sum())
        left_out["new_logo"] += int((new & ~censored).sum())
        keep = ~censored & ~new
        if not (labels["is_renewal_like"][keep] > 0).any():
            # Nobody had bought there yet: what follows is a launch, which is not to be learnt.
            left_out["before_launch"] += int(keep.sum())
            first = labels["target_gp"][keep & (labels["label"] > 0)]
            launch += [(cutoff, float(gp)) for gp in first]
            keep = np.zeros_like(keep)
        rows = _matching(design, labels["customer_id"][keep], division, cutoff)
        parts.append(
            {
                "x": design.x[rows],
                "customers": design.customers[rows],
                "cutoff": np.full(len(rows), place, dtype=np.int64),
                "label": labels["label"][keep],
                "gp": labels["target_gp"][keep],
                "owned": labels["is_renewal_like"][keep] > 0,
            }
        )
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    _, code = np.unique(whole["customers"].astype(str), return_inverse=True)
    return Frame(
        division=division,
        window_months=window_months,
        names=names,
        types=types,
        cutoffs=tuple(cutoffs),
        code=code.astype(np.int64),
        left_out=left_out,
        launch=tuple(launch),
        **whole,
    )


def _labels(run: Run, division: str, cutoff: dt.date, window_months: int) -> dict[str, Any]:
    made_by = f'gosales labels --division "{division}" --cutoff {cutoff}'
    path = require(run.workspace, run.workspace.labels(division, cutoff), made_by)
    table = _read(path).sort_by("customer_id")
    end = label_window(cutoff, window_months).end
    if table.num_rows and table.column("window_end")[0].as_py() != end:
        raise StaleArtifact(
            f"{run.workspace.relative(path)} has another window than {window_months} months.",
            f"Make it again with: {made_by} --window-months {window_months}",
        )
    numbers = (
        "label", "target_gp", "is_new_logo", "is_expansion", "is_renewal_like", "censored_flag",
    )  # fmt: skip
    columns: dict[str, Any] = {name: _floats(table.column(name)) for name in numbers}
    return columns | {"customer_id": _texts(table.column("customer_id"))}


def _matching(
    design: Design, customers: npt.NDArray[np.object_], division: str, cutoff: dt.date
) -> Ints:
    """The design's row of each labelled customer."""
    known = {customer: row for row, customer in enumerate(design.customers)}
    missing = [customer for customer in customers if customer not in known]
    if missing:
        raise StaleArtifact(
            f"{len(missing)} labelled customers of {division} at {cutoff} have no features, "
            f"as '{missing[0]}'.",
            f'Make them again with: gosales features --division "{division}" --cutoff {cutoff}',
        )
    return np.array([known[customer] for customer in customers], dtype=np.int64)


def _read(path: Any) -> pa.Table:
    """A parquet artifact, a file or a folder, sorted by customer."""
    schema = pq.read_schema(parquet_files(path)[0])
    return pa.Table.from_batches(list(parquet_batches(path)), schema).sort_by("customer_id")


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    return np.array(column.cast(pa.string()).to_pylist(), dtype=object)
