"""The published figures of a division: model beside baselines, cohort by cohort.

Rankings are judged within a cutoff and averaged over the reported cutoffs; what concerns the
level of the probabilities (Brier, its skill, calibration) is taken over all reported rows, as
in calibration.csv. One set of customer draws serves every figure, so that the model and the
rule are compared draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gosales.models.evaluate import (
    METRICS,
    Ranking,
    customer_draws,
    interval,
    probability_figures,
    ranking_figures,
)
from gosales.models.frame import Bools, Floats, Frame, Ints

__all__ = ["COHORTS", "Judged", "cohort_mask", "published"]

COHORTS = ("all", "expansion", "renewal_like")
# Who has intervals: the model, and the rule that it must beat.
DRAWN = ("model", "recency_frequency")
LEVEL = ("brier", "brier_skill", "calibration_mae")
Figures = Callable[[Ranking, Floats | None], dict[str, Floats]]


@dataclass(frozen=True)
class Judged:
    """Rows that no part of their model has seen, with the model's and the baselines' scores.

    ``scores`` holds probabilities by scorer: ``model`` and each baseline that ranks.
    ``worth`` is what a purchase would bring. ``prior`` is the prevalence of the rows that were
    trained on, over all customers and in the row's own cohort.
    """

    rows: Ints
    scores: dict[str, Floats]
    prior_all: Floats
    prior_cohort: Floats
    worth: Floats

    @property
    def p(self) -> Floats:
        return self.scores["model"]

    @classmethod
    def nothing(cls) -> Judged:
        """No row could be judged."""
        none = np.zeros(0)
        scores = {"model": none, "recency_frequency": none}
        return cls(np.zeros(0, dtype=np.int64), scores, none, none, none)


@dataclass
class _Part:
    """One ranking (of a scorer in a cohort at a cutoff) and its figures, draw by draw."""

    scorer: str
    cohort: str
    cutoff: str
    code: Ints
    ranking: Ranking
    figures: Figures
    point: dict[str, float] = field(default_factory=dict)
    draws: dict[str, list[Floats]] = field(default_factory=dict)


def published(frame: Frame, judged: Judged, draws: int, seed: int) -> dict[str, Any]:
    """What metrics_<division>.json says about the figures.

    The model's over all customers at the top; then ``cohorts``, ``baselines``,
    ``against_rule`` and ``aggregates`` (per cutoff, mean and spread).
    """
    parts = list(_parts(frame, judged))
    for part in parts:
        part.point = {name: float(v[0]) for name, v in part.figures(part.ranking, None).items()}
    for weights in customer_draws(frame.n_customers, draws, seed) if parts else ():
        for part in parts:
            if part.scorer not in DRAWN:
                continue
            for name, values in part.figures(part.ranking, weights[:, part.code]).items():
                part.draws.setdefault(name, []).append(values)
    model = {cohort: _summary(parts, "model", cohort, frame, judged) for cohort in COHORTS}
    baselines = {
        scorer: {cohort: _summary(parts, scorer, cohort, frame, judged) for cohort in COHORTS}
        for scorer in judged.scores
        if scorer != "model"
    }
    prior = {cohort: _prevalence(frame, judged, cohort) for cohort in COHORTS}
    by_cutoff = [
        {"cutoff": p.cutoff, "cohort": p.cohort, **_clean(p.point)}
        for p in parts
        if p.scorer == "model" and p.cutoff
    ]
    return {
        **model["all"],
        "cohorts": {cohort: model[cohort] for cohort in COHORTS[1:]},
        "baselines": {"prevalence": prior, **baselines},
        "against_rule": {cohort: _difference(parts, cohort) for cohort in COHORTS[:2]},
        "aggregates": {"by_cutoff": by_cutoff, **_spread(by_cutoff)},
    }


def cohort_mask(frame: Frame, judged: Judged, cohort: str) -> Bools:
    """The judged rows of a cohort."""
    owned = frame.owned[judged.rows]
    return {"all": np.ones(len(owned), dtype=bool), "expansion": ~owned, "renewal_like": owned}[
        cohort
    ]


def _parts(frame: Frame, judged: Judged) -> Iterator[_Part]:
    """Every ranking whose cohort has buyers and others; those over all cutoffs have no cutoff."""
    for scorer, scores in judged.scores.items():
        for cohort in COHORTS:
            mask = cohort_mask(frame, judged, cohort)
            prior = judged.prior_all if cohort == "all" else judged.prior_cohort
            at = frame.cutoff[judged.rows]
            places: list[int | None] = [None, *(int(place) for place in np.unique(at))]
            for place in places:
                chosen = mask if place is None else mask & (at == place)
                rows = judged.rows[chosen]
                label = frame.label[rows]
                if not 0 < label.sum() < len(label):
                    continue
                ranking = Ranking.of(
                    scores[chosen], label, frame.gp[rows], float(prior[chosen].mean())
                )
                cutoff = "" if place is None else str(frame.cutoffs[place])
                figures = probability_figures if place is None else ranking_figures
                yield _Part(scorer, cohort, cutoff, frame.code[rows], ranking, figures)


def _summary(
    parts: list[_Part], scorer: str, cohort: str, frame: Frame, judged: Judged
) -> dict[str, Any]:
    """Figures of a scorer in a cohort with their intervals; null where there is none."""
    mask = cohort_mask(frame, judged, cohort)
    label = frame.label[judged.rows][mask]
    intervals: dict[str, list[float | None]] = {}
    values: dict[str, float | None] = {}
    for name in METRICS:
        point, drawn = _figure(parts, scorer, cohort, name)
        values[name] = _number(point)
        intervals[name] = interval(name, point, drawn)
    counts = {"rows": len(label), "positives": int(label.sum())}
    return {**values, "intervals": intervals, **counts}


def _figure(parts: list[_Part], scorer: str, cohort: str, name: str) -> tuple[float, Floats]:
    mine = [
        part
        for part in parts
        if part.scorer == scorer and part.cohort == cohort and name in part.point
    ]
    if not mine:
        return float("nan"), np.zeros(0)
    point = float(np.mean([part.point[name] for part in mine]))
    if scorer not in DRAWN:
        return point, np.zeros(0)
    drawn = np.mean([np.concatenate(part.draws[name]) for part in mine], axis=0)
    return point, np.asarray(drawn, dtype=np.float64)


def _prevalence(frame: Frame, judged: Judged, cohort: str) -> dict[str, float | None]:
    mask = cohort_mask(frame, judged, cohort)
    label = frame.label[judged.rows][mask]
    prior = (judged.prior_all if cohort == "all" else judged.prior_cohort)[mask]
    if not len(label):
        return {"auc": 0.5, "lift_at_10": 1.0, "brier": None, "calibration_mae": None}
    return {
        "auc": 0.5,
        "lift_at_10": 1.0,
        "brier": float(np.mean((prior - label) ** 2)),
        "calibration_mae": float(abs(prior.mean() - label.mean())),
    }


def _difference(parts: list[_Part], cohort: str) -> dict[str, Any]:
    """The model's lift in the top tenth less the rule's, and whether noise could explain it."""
    point, drawn = _figure(parts, "model", cohort, "lift_at_10")
    rule, rule_drawn = _figure(parts, "recency_frequency", cohort, "lift_at_10")
    if not len(drawn):
        return {"lift_at_10": None, "interval": [None, None], "beats_rule": None}
    bounds = interval("lift_at_10", point - rule, drawn - rule_drawn)
    return {
        "lift_at_10": _number(point - rule),
        "interval": bounds,
        "beats_rule": None if bounds[0] is None else bounds[0] > 0,
    }


def _spread(by_cutoff: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [row for row in by_cutoff if row["cohort"] == "all"]
    found = {
        name: [row[name] for row in rows if row.get(name) is not None]
        for name in METRICS
        if name not in LEVEL
    }
    return {
        "mean": {name: float(np.mean(v)) if v else None for name, v in found.items()},
        "std": {name: float(np.std(v)) if v else None for name, v in found.items()},
    }


def _clean(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in values.items()}


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
