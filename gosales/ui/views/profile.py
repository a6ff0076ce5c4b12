"""The ideal customer of a division: what its new buyers have more than others, and who fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import PROFILE

__all__ = ["Profile", "profile", "profiled"]

# Called beyond chance at this false discovery rate, as `gosales profile` does.
CALLED = 0.05
SHOWN, ALIKE = 25, 20


@dataclass(frozen=True)
class Profile:
    """``signs``: values with lift and interval, the surest first; ``alike``: who fits best."""

    division: str
    signs: list[dict[str, Any]]
    others: int
    alike: list[dict[str, Any]]


def profiled(shelf: Shelf, divisions: list[str]) -> list[str]:
    """The divisions that have a profile."""
    place = shelf.workspace
    return [d for d in divisions if shelf.has(place.for_division("icp_profile", d, "csv"))]


def profile(shelf: Shelf, division: str) -> Profile:
    """Raises MissingArtifact, StaleArtifact or IntegrityError."""
    place = shelf.workspace
    rows = shelf.csv(place.for_division("icp_profile", division, "csv"), PROFILE).to_pylist()
    for row in rows:
        row["sure"] = row.get("q") is not None and float(row["q"]) <= CALLED
    signs = sorted(rows, key=lambda row: -float(row["lift_low"]))
    alike_path = place.for_division("icp_lookalikes", division, "csv")
    alike = []
    if shelf.has(alike_path):
        alike = shelf.csv(alike_path, PROFILE).slice(0, ALIKE).to_pylist()
    return Profile(division, signs[:SHOWN], max(len(signs) - SHOWN, 0), alike)
