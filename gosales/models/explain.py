"""Why a model scores as it does: exact contributions per feature, and coefficients.

For a logistic regression a contribution is the feature's term of the sum; for trees it is
the TreeSHAP value that LightGBM computes itself. Both add up to the log-odds of the row
less those of an average one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gosales.models.bases import LinearBase
from gosales.models.classifier import DivisionClassifier
from gosales.models.frame import Floats, Frame, Ints

__all__ = ["coefficients", "shap_global", "shap_sample"]


def shap_global(classifier: DivisionClassifier, contributions: Floats) -> pa.Table:
    """``feature``, ``mean_abs_shap``, strongest first; features without any effect are left out.

    Without a row to explain there are none.
    """
    strength = np.abs(contributions).sum(axis=0) / max(len(contributions), 1)
    names = [str(name) for name in classifier.feature_names_in_]
    order = sorted(range(len(names)), key=lambda place: (-strength[place], names[place]))
    kept = [place for place in order if strength[place] > 0]
    return pa.table(
        {
            "feature": pa.array([names[place] for place in kept], pa.string()),
            "mean_abs_shap": pa.array([float(strength[place]) for place in kept], pa.float64()),
        }
    )


def shap_sample(
    classifier: DivisionClassifier,
    frame: Frame,
    rows: Ints,
    contributions: Floats,
    seed: int,
    size: int,
) -> pa.Table:
    """``customer_id`` and a column a feature for a seeded sample of the rows."""
    picks = np.sort(np.random.default_rng(seed).permutation(len(rows))[:size])
    columns = {"customer_id": pa.array(frame.customers[rows[picks]].tolist(), pa.string())}
    for place, name in enumerate(classifier.feature_names_in_):
        columns[str(name)] = pa.array(contributions[picks, place], pa.float64())
    return pa.table(columns)


def coefficients(classifier: DivisionClassifier) -> pa.Table | None:
    """``feature``, ``coefficient``, ``cohort`` of the logistic heads; None when there is none.

    A coefficient is per spread of the signed log of the feature; ``<feature>__null`` is what
    a null of it adds. The intercept comes first.
    """
    rows: list[tuple[str, float, str]] = []
    for head in classifier.heads:
        base = head.base
        if not isinstance(base, LinearBase):
            continue
        rows.append(("intercept", base.intercept, head.cohort))
        for place, column in enumerate(head.columns):
            name = str(classifier.feature_names_in_[column])
            rows.append((name, float(base.coef[place]), head.cohort))
            if base.null_coef[place] != 0:
                rows.append((f"{name}__null", float(base.null_coef[place]), head.cohort))
    if not rows:
        return None
    feature, coefficient, cohort = zip(*rows, strict=True)
    return pa.table(
        {
            "feature": pa.array(feature, pa.string()),
            "coefficient": pa.array(coefficient, pa.float64()),
            "cohort": pa.array(cohort, pa.string()),
        }
    )
