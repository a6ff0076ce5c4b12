"""The ready columns of a cutoff, or of a target at a cutoff, for what is computed last.

Logarithms and what is learnt from a whole column are computed here, in NumPy on the sorted
rows, and not by the engines, whose logarithms differ in the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Known"]

Floats = npt.NDArray[np.float64]


@dataclass
class Known(Mapping[str, Floats]):
    """Column name -> (customers,) float64 before any cap, NaN where null.

    ``target`` is the slug of the target division, empty where the columns are those that all
    targets share. What a feature learns from the columns it writes into ``learnt``, under its
    name; that ends in ``feature_stats``.
    """

    columns: dict[str, Floats]
    target: str = ""
    learnt: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)
