"""How good a ranking and its probabilities are, with intervals over customers.

Every figure is a function of row weights: weights of one give the figure, weights drawn by
resampling customers give its interval. Draws run side by side as (draws, rows) arrays. Tied
scores are a group: the part of it that fits into the top K per cent counts proportionally.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gosales.models.frame import Floats, Ints

__all__ = [
    "METRICS",
    "Ranking",
    "calibration_bins",
    "customer_draws",
    "gains",
    "interval",
    "mass_bins",
    "measure",
    "probability_figures",
    "ranking_figures",
    "thresholds",
]

LIFTS = (5, 10, 20)
METRICS = (
    "auc", "pr_auc", "brier", "brier_skill",
    *(f"lift_at_{k}" for k in LIFTS), *(f"rev_lift_at_{k}" for k in LIFTS), "calibration_mae",
)  # fmt: skip
BINS = 10
CELLS = 2_000_000


@dataclass(frozen=True)
class Ranking:
    """Scored rows, best first. ``order`` is the permutation, ``group`` where each tie starts.

    ``prior`` is the constant probability that the Brier skill is measured against.
    """

    order: Ints
    group: Ints
    bin_start: Ints
    p: Floats
    label: Floats
    gp: Floats
    prior: float

    @classmethod
    def of(cls, p: Floats, label: Floats, gp: Floats, prior: float) -> Ranking:
        order = np.argsort(-p, kind="stable")
        sorted_p = p[order]
        changes = np.flatnonzero(np.diff(sorted_p) != 0) + 1
        group = np.concatenate([[0], changes]).astype(np.int64)
        bins = mass_bins(p, BINS)[order]
        bin_start = np.concatenate([[0], np.flatnonzero(np.diff(bins) != 0) + 1]).astype(np.int64)
        bought = np.where(label > 0, np.maximum(gp, 0.0), 0.0)
        return cls(order, group, bin_start, sorted_p, label[order], bought[order], prior)


def measure(ranking: Ranking, weights: Floats | None = None) -> dict[str, Floats]:
    """Each metric of METRICS as an array of one value a draw; NaN where it has no meaning.

    ``weights`` is (draws, rows) in the rows' own order; without it every row counts once.
    """
    found = ranking_figures(ranking, weights) | probability_figures(ranking, weights)
    return {name: found[name] for name in METRICS}


def ranking_figures(ranking: Ranking, weights: Floats | None = None) -> dict[str, Floats]:
    """AUC, PR-AUC and lifts: what depends on the order of the scores alone."""
    w = _sorted_weights(ranking, weights)
    mass, hits, worth = (
        _by_tie(part, ranking.group) for part in (w, w * ranking.label, w * ranking.gp)
    )
    seen, found = np.cumsum(mass, axis=1), np.cumsum(hits, axis=1)
    earned = np.cumsum(worth, axis=1)
    total, positives = seen[:, -1], found[:, -1]
    # Weighted misses that rank lower, half of those that tie.
    lower = (total - positives)[:, None] - (seen - found) + 0.5 * (mass - hits)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = found / np.where(seen > 0, seen, 1.0)
        result = {
            "auc": (hits * lower).sum(axis=1) / (positives * (total - positives)),
            "pr_auc": (hits * precision).sum(axis=1) / positives,
        }
        seen, found, earned = (_from_nothing(sums) for sums in (seen, found, earned))
        for name, sums in (("lift", found), ("rev_lift", earned)):
            held = _captured(seen, sums) / sums[:, -1:]
            for place, k in enumerate(LIFTS):
                result[f"{name}_at_{k}"] = held[:, place] / (k / 100)
    return result


def _by_tie(values: Floats, group: Ints) -> Floats:
    """Sums over tied rows; the values themselves when nothing ties."""
    if len(group) == values.shape[1]:
        return values
    sums: Floats = np.add.reduceat(values, group, axis=1)
    return sums


def _from_nothing(sums: Floats) -> Floats:
    """Running sums that start at 0."""
    return np.hstack([np.zeros((len(sums), 1)), sums])


def _captured(seen: Floats, found: Floats) -> Floats:
    """What the best rows hold, (draws, LIFTS); of the tie at their end, in proportion."""
    shares = np.array(LIFTS) / 100
    captured = np.empty((len(seen), len(LIFTS)))
    for draw, (rows, hits) in enumerate(zip(seen, found, strict=True)):
        captured[draw] = np.interp(rows[-1] * shares, rows, hits)
    return captured


def probability_figures(ranking: Ranking, weights: Floats | None = None) -> dict[str, Floats]:
    """Brier score, its skill against the prior, and the calibration error."""
    w = _sorted_weights(ranking, weights)
    total = w.sum(axis=1)
    gap = np.add.reduceat(w * (ranking.p - ranking.label), ranking.bin_start, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        brier = _brier(ranking.p, ranking.label, w) / total
        prior = _brier(np.full(len(ranking.p), ranking.prior), ranking.label, w) / total
        return {
            "brier": brier,
            "brier_skill": 1 - brier / prior,
            "calibration_mae": np.abs(gap).sum(axis=1) / total,
        }


def _sorted_weights(ranking: Ranking, weights: Floats | None) -> Floats:
    if weights is None:
        return np.ones((1, len(ranking.order)))
    chosen: Floats = weights[:, ranking.order]
    return chosen


def _brier(p: Floats, label: Floats, w: Floats) -> Floats:
    total: Floats = (w * (p - label) ** 2).sum(axis=1)
    return total


def customer_draws(customers: int, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks of bootstrap weights: (draws in the block, customers), how often each is drawn."""
    rng = np.random.default_rng(seed)
    block = max(1, CELLS // max(customers, 1))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        picks = rng.integers(customers, size=(size, customers))
        picks += np.arange(size)[:, None] * customers
        counts = np.bincount(picks.ravel(), minlength=size * customers)
        yield counts.reshape(size, customers).astype(np.float64)


def interval(name: str, point: float, draws: Floats) -> list[float | None]:
    """The 95 % interval of a figure from its bootstrap draws.

    Percentiles of the draws; for ``calibration_mae``, which chance can only raise, the draws
    are reflected at the figure, so that the interval is about the true error.
    """
    sound = draws[np.isfinite(draws)]
    if len(sound) < 20 or not np.isfinite(point):
        return [None, None]
    low, high = np.percentile(sound, [2.5, 97.5])
    if name == "calibration_mae":
        low, high = max(2 * point - high, 0.0), max(2 * point - low, 0.0)
    return [float(low), float(high)]


def mass_bins(p: Floats, bins: int) -> Ints:
    """A bin from 0 to bins - 1 a row, equal in mass; tied rows share a bin."""
    rows = len(p)
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    number: Ints = np.floor(middle[inverse] * bins / max(rows, 1)).astype(np.int64)
    return number


def calibration_bins(p: Floats, label: Floats, bins: int = BINS) -> list[dict[str, float]]:
    """Equal-mass bins, lowest probability first: their mean prediction and share of buyers."""
    number = mass_bins(p, bins)
    table = []
    for place, one in enumerate(np.unique(number)):
        rows = number == one
        table.append(
            {
                "bin": place + 1,
                "mean_predicted": float(p[rows].mean()),
                "fraction_positives": float(label[rows].mean()),
                "count": int(rows.sum()),
            }
        )
    return table


def gains(p: Floats, label: Floats, key: Ints, parts: Ints) -> list[dict[str, float]]:
    """Deciles by falling probability within each part (cutoff), 1 = best, then put together.

    ``key`` orders tied rows.
    """
    decile = np.empty(len(p), dtype=np.int64)
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        order = rows[np.lexsort((key[rows], -p[rows]))]
        decile[order] = np.arange(len(order)) * 10 // len(order) + 1
    return [
        {
            "decile": int(one),
            "bought_in_division_mean": float(label[decile == one].mean()),
            "count": int((decile == one).sum()),
            "p_mean": float(p[decile == one].mean()),
        }
        for one in np.unique(decile)
    ]


def thresholds(p: Floats, percents: tuple[float, ...]) -> list[dict[str, float]]:
    """The score of the last row in the top K per cent (rounded up), and how many reach it.

    ``count`` is more than K per cent when rows tie with the last.
    """
    falling = np.sort(p)[::-1]
    table = []
    for k in percents if len(p) else ():
        last = min(max(int(np.ceil(round(len(p) * k / 100, 9))), 1), len(p))
        threshold = float(falling[last - 1])
        count = int((p >= threshold).sum())
        table.append({"k_percent": k, "threshold": threshold, "count": count})
    return table
