"""Whether one ranking leads another beyond noise, on the same customers.

A figure's influence function says how much each row moves it; the spread of a difference is
the sum of squares of the differences, added up over a customer's rows first, since a customer's
cutoffs are not independent. For the AUC these are the placements of DeLong, DeLong and
Clarke-Pearson (1988), clustered as in Obuchowski (1997). It agrees with drawing customers
again and again, and costs a sort.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gosales.models.frame import Floats, Ints

__all__ = ["auc_influence", "brier_influence", "leads", "lift_influence"]

TOP = 0.10
# Labels this near the edge of the top tenth say how likely a buyer stands at it.
EDGE = 0.05
# One-sided: a lead that chance alone gives in one case of two hundred. A log has some dozens of
# heads with three figures each, and the verdict over all divisions holds for every one of them.
Z = 2.576
Influence = Callable[[Floats, Floats], tuple[float, Floats]]


def leads(parts: Sequence[tuple[Floats, Floats, Floats, Ints]]) -> bool:
    """``parts``: at each cutoff (probabilities, the other's, labels, customer number).

    True when the first leads in the mean lift in the top tenth, AUC or Brier score.
    """
    customers = 1 + max(int(code.max()) for *_, code in parts)
    return any(_leads(parts, how, customers) for how in INFLUENCES)


def _leads(
    parts: Sequence[tuple[Floats, Floats, Floats, Ints]], how: Influence, customers: int
) -> bool:
    lead, moved = 0.0, np.zeros(customers)
    for first, second, label, code in parts:
        (one, moves), (other, others) = how(first, label), how(second, label)
        lead += (one - other) / len(parts)
        moved += np.bincount(code, (moves - others) / len(parts), customers)
    return bool(lead > Z * np.sqrt(np.sum(moved**2)) + 1e-12)


def auc_influence(scores: Floats, label: Floats) -> tuple[float, Floats]:
    """The AUC, and how much each row moves it; both classes must be there."""
    bought = label > 0
    buyers, others = np.sort(scores[bought]), np.sort(scores[~bought])

    def below(sorted_scores: Floats, values: Floats) -> Floats:
        left = np.searchsorted(sorted_scores, values, "left")
        right = np.searchsorted(sorted_scores, values, "right")
        share: Floats = (left + right) / (2 * len(sorted_scores))
        return share

    placed = np.empty(len(scores))
    placed[bought] = below(others, scores[bought])
    placed[~bought] = 1 - below(buyers, scores[~bought])
    auc = float(placed[bought].mean())
    return auc, (placed - auc) / np.where(bought, len(buyers), len(others))


def lift_influence(scores: Floats, label: Floats) -> tuple[float, Floats]:
    """The lift in the top tenth, and how much each row moves it.

    Rows that tie at the edge count in proportion.
    """
    n, share = len(scores), float(label.mean())
    falling = np.sort(scores)[::-1]
    edge = falling[min(int(TOP * n), n - 1)]
    above, tied = scores > edge, scores == edge
    inside = above + tied * ((TOP * n - above.sum()) / tied.sum())
    held = float(np.mean(inside * label))
    low, high = (falling[min(int(max(at, 0.0) * n), n - 1)] for at in (TOP + EDGE, TOP - EDGE))
    at_edge = float(label[(scores >= low) & (scores <= high)].mean())
    lift = held / (share * TOP)
    moves = inside * label - held - at_edge * (inside - TOP)
    return lift, (moves / (share * TOP) - lift * (label - share) / share) / n


def brier_influence(p: Floats, label: Floats) -> tuple[float, Floats]:
    """The Brier score with its sign turned, so that more is better, and what each row adds."""
    error = -((p - label) ** 2)
    mean = float(error.mean())
    return mean, (error - mean) / len(p)


INFLUENCES: tuple[Influence, ...] = (lift_influence, auc_influence, brier_influence)
