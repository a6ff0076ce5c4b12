"""How good each model is, on rows it never saw, beside what a simple rule would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gosales.errors import MissingArtifact
from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import TRAIN
from gosales.workspace import slug

__all__ = ["FIGURES", "Figure", "Model", "Summary", "model", "summaries"]

# name -> (title, what it means, is a share).
FIGURES = {
    "lift_at_10": ("Lift in the top 10 %", "times as many buyers as a random tenth would hold"),
    "auc": ("AUC", "how often a buyer is ranked above a non-buyer; 0.5 is chance"),
    "pr_auc": ("PR-AUC", "precision over all depths of the list"),
    "brier_skill": ("Brier skill", "error saved against guessing the base rate; 0 is none"),
    "calibration_mae": ("Calibration error", "how far odds are from what happened, on average"),
    "rev_lift_at_10": ("Profit lift, top 10 %", "times as much gross profit as a random tenth"),
}
COHORTS = {
    "all": "All customers",
    "expansion": "Never bought it (whitespace)",
    "renewal_like": "Bought it before",
}
TOP_FEATURES = 15


@dataclass(frozen=True)
class Figure:
    """A figure of one cohort with its interval, and the baselines' beside it."""

    title: str
    meaning: str
    value: float | None
    low: float | None
    high: float | None
    baselines: dict[str, float | None]


@dataclass(frozen=True)
class Summary:
    """A division in one line: the model's and the rule's lift among never-owners."""

    division: str
    selected: str
    auc: float | None
    lift: Figure
    whitespace: Figure
    calibration: float | None
    warnings: int
    beats_rule: bool | None


@dataclass(frozen=True)
class Model:
    """Everything a page says about one division's model."""

    division: str
    card: dict[str, Any]
    metrics: dict[str, Any]
    figures: dict[str, list[Figure]]
    gains: list[dict[str, Any]]
    calibration: list[dict[str, Any]]
    thresholds: list[dict[str, Any]]
    features: list[dict[str, Any]]
    guardrails: list[dict[str, Any]]
    by_cutoff: list[dict[str, Any]]


def summaries(shelf: Shelf) -> list[Summary]:
    """A line for each division with a model card. Raises MissingArtifact when there is none."""
    names = sorted(
        name for name in shelf.registry()
        if name.rsplit("/", 1)[-1].startswith("model_card_") and name.endswith(".json")
    )  # fmt: skip
    if not names:
        raise MissingArtifact("There is no trained model.", f"Make one with: {TRAIN}")
    found = []
    for name in names:
        card = shelf.json(shelf.workspace.root / name, TRAIN)
        metrics = _metrics(shelf, card["division"])
        whole = _figures(metrics, "all")
        fresh = _figures(metrics, "expansion")
        found.append(
            Summary(
                card["division"],
                card["selected_model"],
                metrics.get("auc"),
                whole[0],
                fresh[0] if fresh else whole[0],
                metrics.get("calibration_mae"),
                sum(row["outcome"] == "warning" for row in card["guardrails"]),
                (metrics.get("against_rule", {}).get("expansion") or {}).get("beats_rule"),
            )
        )
    return sorted(found, key=lambda row: row.division.lower())


def model(shelf: Shelf, division: str) -> Model:
    """Raises MissingArtifact, StaleArtifact or IntegrityError."""
    place = shelf.workspace

    def rows(stem: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = shelf.csv(
            place.for_division(stem, division, "csv"), TRAIN
        ).to_pylist()
        return found

    card = shelf.json(place.for_division("model_card", division, "json"), TRAIN)
    metrics = _metrics(shelf, division)
    features = rows("shap_global")[:TOP_FEATURES]
    told = descriptions(shelf, card["division"])
    for row in features:
        row["description"] = told.get(row["feature"], {}).get("description", "")
    return Model(
        card["division"],
        card,
        metrics,
        {title: _figures(metrics, cohort) for cohort, title in COHORTS.items()},
        rows("gains"),
        rows("calibration"),
        rows("thresholds"),
        features,
        sorted(card["guardrails"], key=lambda g: ("warning", "acted", "ok").index(g["outcome"])
               if g["outcome"] in ("warning", "acted", "ok") else 0),
        metrics.get("aggregates", {}).get("by_cutoff", []),
    )  # fmt: skip


def descriptions(shelf: Shelf, division: str) -> dict[str, dict[str, Any]]:
    """The catalog's row of each feature, from the newest cutoff's catalog."""
    stem = f"feature_catalog_{slug(division)}_"
    names = sorted(
        name for name in shelf.registry() if name.rsplit("/", 1)[-1].startswith(stem)
        and len(name.rsplit("/", 1)[-1]) == len(stem) + len("2024-06-30.csv")
    )  # fmt: skip
    if not names:
        return {}
    table = shelf.csv(shelf.workspace.root / names[-1], "gosales features")
    return {row["name"]: row for row in table.to_pylist()}


def _metrics(shelf: Shelf, division: str) -> dict[str, Any]:
    found: dict[str, Any] = shelf.json(
        shelf.workspace.for_division("metrics", division, "json"), TRAIN
    )
    return found


def _figures(metrics: dict[str, Any], cohort: str) -> list[Figure]:
    """Empty for a cohort that was not judged."""
    part = metrics if cohort == "all" else metrics.get("cohorts", {}).get(cohort)
    if not part:
        return []
    found = []
    for name, (title, meaning) in FIGURES.items():
        low, high = (part.get("intervals", {}).get(name) or [None, None])[:2]
        beside = {
            baseline.replace("_", "-"): (cohorts.get(cohort) or {}).get(name)
            for baseline, cohorts in metrics.get("baselines", {}).items()
            if isinstance(cohorts, dict)
        }
        found.append(Figure(title, meaning, part.get(name), low, high, beside))
    return found
