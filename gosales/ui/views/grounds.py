"""What a customer's score in a division rests on: each reason's feature, and the model's strongest.

So that every number on the page can be traced to a feature and its value.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from gosales.sensitive import is_sensitive
from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import FEATURES, SCORE, TRAIN
from gosales.ui.views.models import descriptions

__all__ = ["Ground", "Measure", "model_rests_on", "reasons_rest_on"]

NUMBERS = 12


@dataclass(frozen=True)
class Ground:
    """What a reason rests on: the feature that speaks, its value, and what its topic does to the
    odds (a factor, before calibration).
    """

    reason: str
    feature: str
    description: str
    value: float | None
    times: float


@dataclass(frozen=True)
class Measure:
    """A feature of this customer, as the model of the division saw it."""

    feature: str
    description: str
    unit: str
    value: float | None
    weight: float


def reasons_rest_on(shelf: Shelf, customer_id: str, division: str) -> list[Ground]:
    """The reasons of the chosen division with the numbers behind them, in their order."""
    path = shelf.workspace.output("icp_reasons.parquet")
    if shelf.failure(path, SCORE):
        return []
    table = shelf.table(path, SCORE)
    mine = table.filter((table.customer_id == customer_id) & (table.division_name == division))
    told = descriptions(shelf, division)
    return [
        Ground(
            row["reason"],
            row["feature"],
            told.get(row["feature"], {}).get("description", row["feature"]),
            row["value"],
            math.exp(row["contribution"]),
        )
        for row in shelf.rows(mine.order_by("number"))
    ]


def model_rests_on(shelf: Shelf, customer_id: str, division: str, cutoff: str) -> list[Measure]:
    """The features that weigh most in the division's model, with this customer's values."""
    place = shelf.workspace
    features = place.features(division, dt.date.fromisoformat(cutoff))
    weights = place.for_division("shap_global", division, "csv")
    if shelf.failure(features, FEATURES) or shelf.failure(weights, TRAIN):
        return []
    private = shelf.settings.scoring.sensitive_attributes
    strongest = [
        row
        for row in shelf.csv(weights, TRAIN).to_pylist()
        if not is_sensitive(row["feature"], private)
    ]
    told = descriptions(shelf, division)
    table = shelf.table(features, FEATURES)
    names = [row["feature"] for row in strongest if row["feature"] in table.columns][:NUMBERS]
    mine = table.filter(table.customer_id == customer_id).select(*names)
    values = next(iter(shelf.rows(mine)), {}) if names else {}
    weight = {row["feature"]: float(row["mean_abs_shap"]) for row in strongest}
    return [
        Measure(
            name,
            told.get(name, {}).get("description", name),
            told.get(name, {}).get("unit", ""),
            values.get(name),
            weight[name],
        )
        for name in names
    ]
