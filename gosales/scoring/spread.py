"""How far what comes may be from what is expected: intervals learnt from earlier misses.

A sum of forecasts is missed by chance (who of the likely ones buys, and how much), by a division
whose level is another than was foretold, and by a level that is missed in all divisions at once.
The last two are variances of a factor around 1. They are found by moments from forecasts that
knew only their past, the less noisy ones counting more (DerSimonian and Laird 1986 do so over
clinical trials), and shrunk towards priors, for a log holds few windows. The sum is taken as
gamma distributed with the mean and the variance that follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CERTAIN", "LIKELY", "Miss", "Outlook"]

Floats = npt.NDArray[np.float64]
Cells = Sequence[Mapping[str, Any]]
# Four windows in five for plans; nineteen in twenty before anybody is alarmed.
LIKELY, CERTAIN = 0.8, 0.95
# What is known before any window has closed counts for as much as one; judged cutoffs are half a
# window apart.
PRIOR_WINDOWS, WINDOWS_A_CUTOFF = 1.0, 0.5
# Squares of what came over those expected, before anything is known, at so many buyers' weight:
# purchases differ by more than can be foretold.
PRIOR_SCALE, SCALE_BUYERS = 2.0, 20.0


@dataclass(frozen=True)
class Miss:
    """Variances of the factors by which a level is missed: of all divisions, of one alone.

    ``scale`` of the variance of chance.
    """

    common: float
    own: float
    scale: float = 1.0

    def interval(self, expected: Floats, chance: float, coverage: float) -> tuple[float, float]:
        """Of the sum of ``expected``, (divisions,); ``chance`` is its variance by chance alone."""
        from scipy.stats import gamma

        mean = float(expected.sum())
        if mean <= 0:
            return 0.0, 0.0
        levels = self.common * mean**2 + self.own * float(np.sum(expected**2))
        variance = levels + self.scale * chance
        tail = (1 - coverage) / 2
        low, high = gamma.ppf([tail, 1 - tail], mean**2 / variance, scale=variance / mean)
        return float(low), float(high)


# Before any window has closed. What purchases are worth moves more than how many there are.
BUYERS, PROFIT = Miss(0.02, 0.05), Miss(0.05, 0.1, PRIOR_SCALE)


@dataclass(frozen=True)
class Outlook:
    """Intervals of sums over customers of a cohort, from how earlier forecasts were met."""

    buyers: Miss
    profit: Miss

    @classmethod
    def of(cls, cells: Cells, cohort: str) -> Outlook:
        """``cells``: rows of forecasts.parquet; those of ``cohort`` are learnt from."""
        mine = [cell for cell in cells if cell["cohort"] == cohort]
        return cls(
            _learnt(mine, BUYERS, "buyers", "expected_buyers", "buyers_variance"),
            _learnt(mine, PROFIT, "gross_profit", "expected_gp", "expected_gp_squares"),
        )

    def intervals(
        self, p: Floats, expected_gp: Floats, division: Any, coverage: float
    ) -> dict[str, list[float]]:
        """Of the sums over rows: ``p`` and expected gross profit in a ``division`` (any code)."""
        _, place = np.unique(division, return_inverse=True)
        worth = expected_gp / np.maximum(p, 1e-12)
        found = {
            "expected_buyers": (self.buyers, p, float(np.sum(p * (1 - p)))),
            "expected_gp": (self.profit, expected_gp, float(np.sum(p * worth**2))),
        }
        return {
            name: _rounded(miss.interval(_by_place(place, v), chance, coverage))
            for name, (miss, v, chance) in found.items()
        }


def _by_place(place: Any, values: Floats) -> Floats:
    sums: Floats = np.bincount(place, values).astype(np.float64)
    return sums


def _rounded(bounds: tuple[float, float]) -> list[float]:
    return [round(bound, 2) for bound in bounds]


def _learnt(cells: Cells, prior: Miss, came: str, expected: str, chance: str) -> Miss:
    scale = prior.scale
    if came == "gross_profit":
        hoped = sum(cell[chance] for cell in cells)
        squares, buyers = (sum(c[name] for c in cells) for name in (f"{came}_squares", "buyers"))
        own = squares / hoped if hoped > 0 else 0.0
        scale = (buyers * own + SCALE_BUYERS * scale) / (buyers + SCALE_BUYERS)
    known = [cell for cell in cells if cell["in_time"] and cell[expected] > 0]
    if not known:
        return Miss(prior.common, prior.own, scale)
    cutoffs, place = np.unique([cell["cutoff"] for cell in known], return_inverse=True)
    sums = np.array([[cell[expected], cell[came], cell[chance] * scale] for cell in known])
    common, own = _variances(sums, place, prior)
    windows = len(cutoffs) * WINDOWS_A_CUTOFF
    common, own = (
        (windows * found + PRIOR_WINDOWS * before) / (windows + PRIOR_WINDOWS)
        for found, before in ((common, prior.common), (own, prior.own))
    )
    return Miss(common, own, scale)


def _variances(sums: Floats, place: Any, prior: Miss) -> tuple[float, float]:
    """Of the common factor and a division's: two moments, of single divisions and of their sums.

    ``sums``: (cells, 3), what was expected, what came and the variance of chance.
    """
    both, _ = _moment(sums, np.ones(len(sums)), prior)
    whole = np.zeros((place.max() + 1, 3))
    np.add.at(whole, place, sums)
    # How much of a division's variance is left in the sum.
    part = np.bincount(place, sums[:, 0] ** 2) / whole[:, 0] ** 2
    total, left = _moment(whole, part, prior)
    both = max(both, 0.0)
    common = both if left > 0.999 else float(np.clip((total - left * both) / (1 - left), 0.0, both))
    return common, both - common


def _moment(sums: Floats, part: Floats, prior: Miss) -> tuple[float, float]:
    """The mean squared miss beyond chance, relative, and the mean ``part`` at the same weights.

    A miss counts at most as all of what was expected: of forecasts near nothing it has no bound.
    """
    expected, came, chance = sums.T
    noise = chance / expected**2
    weight = (noise + prior.common + prior.own * part) ** -2
    missed = np.minimum(np.abs(came / expected - 1), 1.0)
    return (
        float(np.average(missed**2 - noise, weights=weight)),
        float(np.average(part, weights=weight)),
    )
