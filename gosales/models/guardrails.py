"""What keeps a number that nobody can stand behind from being shown.

``screen`` finds columns that must not be learnt from: constant ones, copies of others, and
those that give the answer away, by their name or because one alone ranks the labels almost
perfectly. ``Guard`` is one rule's outcome, for the model card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from gosales.models.frame import Floats, Ints, Singles

__all__ = ["Guard", "Screen", "feature_auc", "screen"]

# Words of label artifacts and of the time after the cutoff; no feature has a reason to bear one.
FORBIDDEN = re.compile(
    r"(^|_)(label|labels|target|outcome|future|is_new_logo|is_expansion|is_renewal_like"
    r"|censored_flag|window_(start|end)|bought_in_division|next_\w+)($|_)"
)
PROBE = 1000
PROBE_MARGIN = 0.03


@dataclass(frozen=True)
class Guard:
    """One rule and what came of it: ``ok``, ``acted`` (something was changed) or ``warning``."""

    rule: str
    outcome: str
    detail: str

    def row(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Screen:
    """The columns to learn from, and those left out with the reason."""

    keep: Ints
    constant: tuple[str, ...]
    duplicate: tuple[tuple[str, str], ...]
    leak_by_name: tuple[str, ...]
    leak_by_auc: tuple[str, ...]


def screen(x: Singles, label: Floats, names: Sequence[str], auc_limit: float) -> Screen:
    """Look at training rows only: (rows, features) and their labels; without rows, at names."""
    constant, duplicate, by_name, by_auc, keep = [], [], [], [], []
    seen: dict[bytes, str] = {}
    rows = np.arange(len(label))
    probe = np.concatenate([_some(rows[label > 0]), _some(rows[label <= 0])])
    for place, name in enumerate(names):
        column = np.ascontiguousarray(x[:, place])
        if FORBIDDEN.search(name):
            by_name.append(name)
        elif not len(label):
            keep.append(place)
        elif _constant(column):
            constant.append(name)
        elif (twin := seen.setdefault((column + 0.0).tobytes(), name)) != name:
            duplicate.append((name, twin))
        elif _gives_away(column, label, probe, auc_limit):
            by_auc.append(name)
        else:
            keep.append(place)
    return Screen(
        np.array(keep, dtype=np.int64),
        tuple(constant),
        tuple(duplicate),
        tuple(by_name),
        tuple(by_auc),
    )


def _some(rows: Ints) -> Ints:
    """At most PROBE rows, evenly spread."""
    return rows[:: max(1, len(rows) // PROBE)]


def _constant(column: Singles) -> bool:
    absent = np.isnan(column)
    if absent.all():
        return True
    present = column[~absent]
    return bool((present == present[0]).all() and not absent.any())


def _gives_away(column: Singles, label: Floats, probe: Ints, limit: float) -> bool:
    """A sample of the rows first; all of them only when the sample comes near the limit."""
    if feature_auc(column[probe], label[probe]) < limit - PROBE_MARGIN:
        return False
    return feature_auc(column, label) > limit


def feature_auc(column: Singles, label: Floats) -> float:
    """How well one column alone ranks the labels, in either direction; nulls rank lowest."""
    values = np.where(np.isnan(column), -np.inf, column)
    few, many = values[label > 0], values[label <= 0]
    if len(few) > len(many):
        few, many = many, few
    if not len(few):
        return 0.5
    few, many = np.sort(few), np.sort(many)
    # How many of the many lie below each of the few; a tie is half a one. Sorted, both are found
    # in one sweep.
    below = sum(int(np.searchsorted(many, few, side).sum()) for side in ("left", "right"))
    auc = below / 2 / (len(few) * len(many))
    return max(auc, 1 - auc)
