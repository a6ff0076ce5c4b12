"""Customers of the list who are held back, so that what acting on it brings can be measured.

A whole customer is held back, with all pairs: one who is called about another product is no
control. The draw is stratified by the division and the rank of the customer's best pair.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

__all__ = ["hold_back"]

BANDS = 4


def hold_back(
    customers: list[str], divisions: npt.NDArray[np.int64], share: float, seed: int, salt: str
) -> npt.NDArray[np.bool_]:
    """Whether each row of a list (best first) is held back.

    Exactly ``share`` of the customers, rounded; the same ``seed`` and ``salt`` (the cutoff)
    draw the same customers. Within each stratum the number is within one of its share.
    """
    names, first = np.unique(np.array(customers, dtype=np.str_), return_index=True)
    total = round(share * len(names))
    if not total:
        return np.zeros(len(customers), dtype=bool)
    band = first * BANDS // max(1, len(customers))
    draw = np.array([_draw(seed, salt, name) for name in names.tolist()])
    # In this order, every 1/share-th customer: strata share the draws in proportion.
    order = np.lexsort((names, draw, band, divisions[first]))
    start = _draw(seed, salt, "")
    marks = np.floor((np.arange(len(names) + 1) * total) / len(names) + start)
    held = np.zeros(len(names), dtype=bool)
    held[order] = np.diff(marks) > 0
    chosen: npt.NDArray[np.bool_] = np.isin(np.array(customers, dtype=np.str_), names[held])
    return chosen


def _draw(seed: int, salt: str, name: str) -> float:
    """A number in [0, 1) that depends on these words alone."""
    digest = hashlib.sha256(f"{seed}\x1f{salt}\x1f{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
