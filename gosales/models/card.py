"""What is said about a trained division: metrics, model card, metadata, as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gosales.models.classifier import DivisionClassifier
from gosales.models.division import Trained
from gosales.models.figures import published
from gosales.models.foretold import foretold
from gosales.models.frame import Frame
from gosales.models.guardrails import Guard
from gosales.models.selection import FittedHead
from gosales.models.worth import value_figures
from gosales.settings import ModelingSettings

__all__ = ["guards", "metadata", "metrics", "model_card", "selected_model"]


def selected_model(classifier: DivisionClassifier) -> str:
    """``logreg``, ``lgbm``, ``rule``, or several joined by ``+`` when heads differ or blend."""
    kinds = [kind for head in classifier.heads for kind in head.base.kind.split("+")]
    return "+".join(dict.fromkeys(kinds))


def metrics(
    frame: Frame, trained: Trained, settings: ModelingSettings, seed: int
) -> dict[str, Any]:
    """metrics_<division>.json: every figure is of rows that its model never saw."""
    rows = trained.judged.rows
    return {
        "division": frame.division,
        "window_months": frame.window_months,
        "cutoffs": [str(day) for day in frame.cutoffs],
        "evaluation": {
            "protocol": trained.plan.kind,
            "description": trained.plan.description,
            "reported_cutoffs": [str(frame.cutoffs[p]) for p in np.unique(frame.cutoff[rows])],
        },
        **published(frame, trained.judged, settings.bootstrap, seed),
        "value": value_figures(frame, trained.judged, settings.bootstrap, seed),
        "selection": {
            "rule": "highest mean lift_at_10 over the judged cutoffs, ties by mean Brier",
            "heads": [
                {
                    "cohort": one.head.cohort,
                    "selected": one.candidate.name,
                    "beats_rule": one.beats_rule,
                    "borrowed": one.borrowed,
                    "judged_by": one.inner_kind,
                    "candidates": [trial.row() for trial in one.trials],
                    "dropped": [trial.row() for trial in one.dropped],
                }
                for one in trained.heads
            ],
        },
    }


def guards(
    frame: Frame, trained: Trained, figures: dict[str, Any], settings: ModelingSettings
) -> list[Guard]:
    """Each guardrail with its outcome and a plain sentence."""
    positives = int(frame.label.sum())
    found = [
        Guard(
            "min_positives",
            "ok" if positives >= settings.min_positives else "acted",
            f"{positives} positive labels, {settings.min_positives} needed for a model of its own.",
        ),
        _structure_guard(frame, trained),
        Guard(
            "censored_rows",
            "ok" if not frame.left_out["censored"] else "acted",
            f"{frame.left_out['censored']} rows with an open label window were not trained on.",
        ),
        Guard(
            "new_logos",
            "ok" if not frame.left_out["new_logo"] else "acted",
            f"{frame.left_out['new_logo']} rows of customers without history were not trained on.",
        ),
        Guard(
            "evaluation",
            "ok" if trained.plan.in_time else "warning",
            f"Figures are {trained.plan.description}.",
        ),
    ]
    found += [_skill_guard(name, figures) for name in ("all", "expansion")]
    for one in trained.heads:
        found += _head_guards(one, settings, trained.plan.kind == "borrowed")
    return found


def _skill_guard(cohort: str, figures: dict[str, Any]) -> Guard:
    """No skill is claimed that chance, or a one-line rule, could explain."""
    part = figures if cohort == "all" else figures["cohorts"][cohort]
    who = "customers" if cohort == "all" else "customers who never bought the division"
    low = part["intervals"]["lift_at_10"][0]
    if low is None:
        return Guard(f"skill.{cohort}", "warning", f"Too few {who} were judged to say.")
    if low <= 1:
        return Guard(
            f"skill.{cohort}",
            "warning",
            f"No skill is shown among {who}: the interval of lift_at_10 reaches down to {low:.2f}.",
        )
    if not figures["against_rule"][cohort]["beats_rule"]:
        return Guard(
            f"skill.{cohort}",
            "warning",
            f"Among {who} lift_at_10 does not exceed the recency-frequency rule's beyond noise.",
        )
    return Guard(f"skill.{cohort}", "ok", f"Among {who} it beats the rule beyond noise.")


BEATS = {
    "own": "It beats the recency-frequency rule beyond noise on rows it has not seen.",
    "pooled": "Too few buyers to show that it beats the recency-frequency rule here; over all "
    "divisions the pooled model does, beyond noise.",
    "no": "No model beat the recency-frequency rule beyond noise: the rule ships.",
}


def _structure_guard(frame: Frame, trained: Trained) -> Guard:
    counts = {
        "owners": int(frame.label[frame.owned].sum()),
        "never-owners": int(frame.label[~frame.owned].sum()),
    }
    if not any(counts.values()):
        return Guard("cohorts", "acted", "No positives of its own: both cohorts' are borrowed.")
    said = " and ".join(f"{n} positives among {who}" for who, n in counts.items())
    if len(trained.heads) > 1:
        return Guard("cohorts", "ok", f"{said}: each cohort has its own model.")
    return Guard(
        "cohorts",
        "acted",
        f"{said}: too few to fit and judge a model each, so one joint model serves both.",
    )


def _head_guards(one: FittedHead, settings: ModelingSettings, elsewhere: bool) -> list[Guard]:
    """``elsewhere``: judged on the other divisions' rows alone."""
    cohort, found = one.head.cohort, one.screened
    beats = "pooled" if elsewhere and one.beats_rule == "own" else one.beats_rule
    flat = [trial.candidate.name for trial in one.trials if trial.degenerate]
    wide = one.overfit_gap > settings.overfit_gap
    leaks = [*found.leak_by_name, *found.leak_by_auc]
    return [
        Guard(
            f"borrowed.{cohort}",
            "acted" if one.borrowed else "ok",
            "Too few buyers of its own: the model is the one pooled over all divisions."
            if one.borrowed
            else "It has enough buyers of its own.",
        ),
        Guard(
            f"beats_rule.{cohort}",
            {"own": "ok", "pooled": "warning", "no": "acted"}[beats],
            BEATS[beats],
        ),
        Guard(
            f"degenerate_classifier.{cohort}",
            "acted" if flat else "ok",
            f"Dropped, one score for everybody: {_list(flat)}." if flat else "Scores differ.",
        ),
        Guard(
            f"leakage.{cohort}",
            "acted" if leaks else "ok",
            f"Dropped, they give the answer away: {_list(leaks)}."
            if leaks
            else f"No feature is named like a label or ranks labels above {settings.leakage_auc}.",
        ),
        Guard(
            f"constant_features.{cohort}",
            "acted" if found.constant else "ok",
            f"Left out, the same for every row: {_list(found.constant) or 'none'}.",
        ),
        Guard(
            f"duplicate_features.{cohort}",
            "acted" if found.duplicate else "ok",
            "Left out, copies: "
            + (_list([f"{name} (= {twin})" for name, twin in found.duplicate]) or "none")
            + ".",
        ),
        Guard(
            f"overfit_gap.{cohort}",
            "warning" if wide else "acted" if one.regularised else "ok",
            f"AUC falls by {one.overfit_gap:.3f} from fitted to unseen rows; "
            f"{settings.overfit_gap} is accepted"
            + (", so the model was shrunk more." if one.regularised else "."),
        ),
    ]


def metadata(frame: Frame, trained: Trained, inputs: dict[str, str]) -> dict[str, Any]:
    """metadata.json of the model's folder."""
    names = [str(name) for name in trained.classifier.feature_names_in_]
    return {
        "division": frame.division,
        "selected_model": selected_model(trained.classifier),
        "cutoff": str(frame.cutoffs[-1]),
        "cutoffs": [str(day) for day in frame.cutoffs],
        "window_months": frame.window_months,
        "training_span": [str(frame.cutoffs[0]), str(frame.cutoffs[-1])],
        "rows": len(frame.label),
        "feature_types": {name: frame.types[name] for name in names},
        "trained_on": inputs,
        "forecasts": foretold(frame, trained.judged, trained.plan.in_time),
    }


def model_card(
    frame: Frame,
    trained: Trained,
    figures: dict[str, Any],
    settings: ModelingSettings,
    about: dict[str, Any],
) -> dict[str, Any]:
    """model_card_<division>.json. ``about`` brings seed, run id, versions and artifacts.

    The chosen parameters are read back from the classifier that ships.
    """
    heads = trained.classifier.heads
    return {
        "division": frame.division,
        "cutoffs": [str(day) for day in frame.cutoffs],
        "window_months": frame.window_months,
        "selected_model": selected_model(trained.classifier),
        "seed": about["seed"],
        "params": {
            "lr_grid": settings.lr_grid.model_dump(),
            "lgbm_grid": settings.lgbm_grid.model_dump(),
            "chosen": {
                head.cohort: {"model": head.base.kind, **head.base.params()} for head in heads
            },
        },
        "data": {
            "n_customers": frame.n_customers,
            "rows": len(frame.label),
            "positives": int(frame.label.sum()),
            "prevalence": float(frame.label.mean()) if len(frame.label) else None,
            "prevalence_by_cutoff": _prevalence(frame),
            "left_out": frame.left_out,
            "n_features": len(trained.classifier.feature_names_in_),
        },
        "calibration": {
            "method": {head.cohort: head.calibrator.method for head in heads},
            "out_of_fold_brier": {one.head.cohort: one.calibration_briers for one in trained.heads},
            "mae": figures["calibration_mae"],
        },
        "deal_value": {
            head.cohort: {"mean": head.value.mean, "regression": bool(head.value.columns)}
            for head in heads
        },
        "evaluation": figures["evaluation"],
        "figures": {
            name: figures[name]
            for name in ("auc", "pr_auc", "brier", "brier_skill", "lift_at_10", "calibration_mae")
        },
        "beats_rule": {name: row["beats_rule"] for name, row in figures["against_rule"].items()},
        "guardrails": [guard.row() for guard in guards(frame, trained, figures, settings)],
        "artifacts": about["artifacts"],
        "versions": about["versions"],
        "run_id": about["run_id"],
    }


def _prevalence(frame: Frame) -> dict[str, float]:
    return {
        str(day): float(frame.label[frame.cutoff_rows(day)].mean())
        for place, day in enumerate(frame.cutoffs)
        if (frame.cutoff == place).any()
    }


def _list(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
