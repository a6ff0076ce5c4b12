"""Which rows of a slice are fitted on: all of them, or all buyers and some of the others."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from gosales.models.frame import Floats, Ints

__all__ = ["Thinned", "seed_of", "thin", "weigh"]


@dataclass(frozen=True)
class Thinned:
    """Row numbers, ascending, and how many rows each stands for."""

    rows: Ints
    weight: Floats


def seed_of(seed: int, *words: object) -> int:
    """A seed that depends on what it is for, and on nothing else."""
    return zlib.crc32(f"{seed}:{words}".encode()) % 2**31


def thin(rows: Ints, label: Floats, most: int, seed: int) -> Thinned:
    """At most ``most`` rows: half of them may be buyers, what is left goes to the others.

    Rows left out are made up for by weights, class by class, so that rates stay as they were.
    """
    if len(rows) <= most:
        return Thinned(rows, np.ones(len(rows)))
    rng = np.random.default_rng(seed)
    buyers, others = rows[label > 0], rows[label <= 0]
    kept = [
        _some(buyers, max(most // 2, most - len(others)), rng),
        _some(others, most - min(len(buyers), max(most // 2, most - len(others))), rng),
    ]
    weight = np.concatenate(
        [
            np.full(len(some), len(whole) / max(len(some), 1))
            for some, whole in zip(kept, (buyers, others), strict=True)
        ]
    )
    chosen = np.concatenate(kept)
    order = np.argsort(chosen, kind="stable")
    return Thinned(chosen[order], weight[order])


def _some(rows: Ints, most: int, rng: np.random.Generator) -> Ints:
    if len(rows) <= most:
        return rows
    picked: Ints = rng.choice(rows, most, replace=False)
    return picked


def weigh(label: Floats, weight: Floats, cap: float) -> tuple[Floats, float]:
    """Rows' weights with buyers weighted up, and the log of that factor.

    The factor is the number of others per buyer, at most ``cap``, at least 1; its log is what
    the weighting adds to the log-odds.
    """
    buyers = float(weight[label > 0].sum())
    others = float(weight.sum()) - buyers
    up = float(min(max(others / max(buyers, 1.0), 1.0), cap))
    return weight * np.where(label > 0, up, 1.0), float(np.log(up))
