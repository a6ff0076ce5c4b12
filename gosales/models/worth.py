"""How far the expected gross profit is from what came: probability times value, out of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from gosales.models.evaluate import customer_draws
from gosales.models.figures import COHORTS, Judged, cohort_mask
from gosales.models.frame import Floats, Frame

__all__ = ["value_figures"]


def value_figures(frame: Frame, judged: Judged, draws: int, seed: int) -> dict[str, Any]:
    """By cohort: expected and realised gross profit over the judged rows, and per purchase.

    ``ratio`` is realised over expected, with its 95 % interval over customers; the error of a
    purchase's value is the mean absolute one, beside that of the cohort's mean purchase.
    """
    bought = frame.label[judged.rows] > 0
    came = np.where(bought, np.maximum(frame.gp[judged.rows], 0.0), 0.0)
    expected = judged.p * judged.worth
    found: dict[str, Any] = {}
    for cohort in COHORTS:
        mask = cohort_mask(frame, judged, cohort)
        buyers = mask & bought
        if not buyers.any() or expected[mask].sum() <= 0:
            found[cohort] = None
            continue
        ratios = _ratios(frame, judged, mask, came, expected, draws, seed)
        found[cohort] = {
            "expected_gp": float(expected[mask].sum()),
            "realised_gp": float(came[mask].sum()),
            "ratio": float(came[mask].sum() / expected[mask].sum()),
            "ratio_interval": [float(one) for one in np.percentile(ratios, [2.5, 97.5])],
            "purchase_error": float(np.abs(judged.worth[buyers] - came[buyers]).mean()),
            "mean_purchase_error": float(np.abs(came[buyers].mean() - came[buyers]).mean()),
        }
    return found


def _ratios(
    frame: Frame,
    judged: Judged,
    mask: Any,
    came: Floats,
    expected: Floats,
    draws: int,
    seed: int,
) -> Floats:
    code, n = frame.code[judged.rows][mask], frame.n_customers
    by_customer = [np.bincount(code, values[mask], n) for values in (came, expected)]
    ratios = []
    for weights in customer_draws(n, draws, seed):
        total, hoped = (np.add.reduce(weights * values, axis=1) for values in by_customer)
        ratios.append(total / np.where(hoped > 0, hoped, np.nan))
    whole: Floats = np.concatenate(ratios)
    return whole[np.isfinite(whole)]
