"""What scores of an earlier day were worth: figures, scenarios, segments, drift and alerts.

Arrays of one division's customers go in, rows for tables and JSON come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gosales.models.evaluate import METRICS, Ranking, customer_draws, interval, measure
from gosales.models.figures import COHORTS
from gosales.scoring import CERTAIN, Outlook
from gosales.whitespace.attributes import OTHER
from gosales.whitespace.capacity import share_count

__all__ = [
    "COHORTS",
    "Scores",
    "alerts",
    "figures",
    "makes_groups",
    "psi",
    "scenarios",
    "segments",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = Sequence[Mapping[str, Any]]
PERCENTS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0)
# Buyers that a figure needs before it is called good or bad.
ENOUGH = 8
# Population stability index from which two populations are told apart (Siddiqi, Credit Risk
# Scorecards, 2006).
SHIFTED = 0.25


@dataclass(frozen=True)
class Scores:
    """(customers,) arrays: what was foretold and what came in the label window.

    ``gain`` is the net gross profit of buyers, 0 for the others.
    """

    p: Floats
    worth: Floats
    owned: Bools
    label: Floats
    gain: Floats

    def where(self, rows: Any) -> Scores:
        parts = (self.p, self.worth, self.owned, self.label, self.gain)
        return Scores(*(part[rows] for part in parts))

    def cohort(self, name: str) -> Scores:
        if name == "all":
            return self
        return self.where(self.owned if name == "renewal_like" else ~self.owned)


def figures(
    scores: Scores, prior: Mapping[str, float], cells: Cells, draws: int, seed: int
) -> dict[str, Any]:
    """Each cohort's figures with 95 % intervals; None where a figure has no meaning.

    What came and what it says of the ranking: a bootstrap of customers; what was expected: how
    still earlier forecasts were met, ``cells``. ``prior``: the cohorts' prevalence known before.
    """
    found = {}
    for name in COHORTS:
        mine, outlook = scores.cohort(name), Outlook.of(cells, name)
        found[name] = _figures(mine, prior[name], draws, seed)
        one = np.zeros(len(mine.p))
        found[name]["intervals"] |= outlook.intervals(mine.p, mine.worth, one, CERTAIN)
    return found


def _figures(scores: Scores, prior: float, draws: int, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "customers": len(scores.p),
        "buyers": int(scores.label.sum()),
        "expected_buyers": float(scores.p.sum()),
        "gross_profit": float(scores.gain.sum()),
        "expected_gp": float(scores.worth.sum()),
    }
    intervals: dict[str, list[float | None]] = {}
    both = 0 < scores.label.sum() < len(scores.label)
    ranking = Ranking.of(scores.p, scores.label, scores.gain, prior)
    point = measure(ranking) if both else {}
    drawn: dict[str, list[Floats]] = {}
    for weights in customer_draws(len(scores.p), draws, seed) if len(scores.p) else ():
        for name, values in (measure(ranking, weights) if both else {}).items():
            drawn.setdefault(name, []).append(values)
        drawn.setdefault("buyers", []).append(weights @ scores.label)
        drawn.setdefault("gross_profit", []).append(weights @ scores.gain)
    for name in METRICS:
        value = float(point[name][0]) if both else np.nan
        found[name] = value if np.isfinite(value) else None
    for name, parts in drawn.items():
        value = np.nan if found[name] is None else float(found[name])
        intervals[name] = interval(name, value, np.concatenate(parts))
    return found | {"intervals": intervals}


def scenarios(scores: Scores) -> Iterator[dict[str, Any]]:
    """What the best K per cent of the customers held, by odds and by expected gross profit."""
    buyers, gain = float(scores.label.sum()), float(np.maximum(scores.gain, 0).sum())
    for name, value in (("probability", scores.p), ("expected_gp", scores.worth)):
        order = np.argsort(-value, kind="stable")
        for percent in PERCENTS:
            top = order[: share_count(len(order), percent)]
            held, brought = float(scores.label[top].sum()), scores.gain[top]
            yield {
                "ranked_by": name,
                "k_percent": percent,
                "customers": len(top),
                "expected_buyers": float(scores.p[top].sum()),
                "buyers": int(held),
                "expected_gp": float(scores.worth[top].sum()),
                "gross_profit": float(brought.sum()),
                "share_of_buyers": held / buyers if buyers else None,
                "share_of_gross_profit": float(np.maximum(brought, 0).sum()) / gain
                if gain
                else None,
                "lift": held / len(top) / (buyers / len(order)) if buyers else None,
            }


def segments(
    scores: Scores, values: Mapping[str, tuple[list[str], npt.NDArray[np.int64]]]
) -> Iterator[dict[str, Any]]:
    """Found beside foretold in each value of each attribute that anybody has.

    ``values``: attribute -> the values' names and each customer's place among them.
    """
    for attribute, (names, place) in values.items():
        for number, name in enumerate(names):
            part = scores.where(place == number)
            if not len(part.p):
                continue
            found = _figures(part, np.nan, 0, 0)
            yield {
                "attribute": attribute,
                "value": name,
                "customers": found["customers"],
                "buyers": found["buyers"],
                "expected_buyers": found["expected_buyers"],
                "prevalence": float(part.label.mean()),
                "mean_predicted": float(part.p.mean()),
                "auc": found["auc"],
                "gross_profit": found["gross_profit"],
                "expected_gp": found["expected_gp"],
            }


def makes_groups(names: list[str], place: npt.NDArray[np.int64]) -> bool:
    """Whether the attribute makes groups: of numbers of accounts hardly two are equal."""
    return OTHER not in names or float(np.mean(place == names.index(OTHER))) <= 0.5


def psi(before: Floats, after: Floats, bins: int = 10) -> float:
    """Population stability index of two samples of a number, over tenths of the first.

    Nulls are a bin of their own; half a row in each bin keeps it finite.
    """
    edges: Any = (
        np.unique(np.nanquantile(before, np.arange(1, bins) / bins)) if _any(before) else []
    )
    shares = []
    for sample in (before, after):
        place = np.searchsorted(edges, sample, side="left")
        place = np.where(np.isnan(sample), len(edges) + 1, place)
        counts = np.bincount(place, minlength=len(edges) + 2) + 0.5
        shares.append(counts / counts.sum())
    first, second = shares
    return float(np.sum((second - first) * np.log(second / first)))


def _any(sample: Floats) -> bool:
    return bool((~np.isnan(sample)).any())


def alerts(division: str, cutoff: str, found: Mapping[str, Any], shift: float | None) -> list[Any]:
    """What a person should know before trusting the division's scores; empty when nothing."""
    told = []
    where = f"{division}, validated at {cutoff}"
    whole = found["all"]
    for rule, expected, came, what in (
        ("buyers", "expected_buyers", "buyers", "buyers were"),
        ("profit", "expected_gp", "gross_profit", "gross profit was"),
    ):
        low, high = whole["intervals"][expected]
        told_of = max(whole["buyers"], whole["expected_buyers"]) >= ENOUGH
        if told_of and not low <= whole[came] <= high:
            message = (
                f"{where}: {whole[expected]:,.0f} {what} expected ({low:,.0f} to {high:,.0f}) "
                f"and {whole[came]:,.0f} came."
            )
            told.append(_alert(rule, message, whole[expected]))
    for cohort, who in (("expansion", "who never bought it"), ("renewal_like", "who bought it")):
        part = found[cohort]
        low = part["intervals"].get("lift_at_10", (None, None))[0]
        if part["buyers"] >= ENOUGH and low is not None and low <= 1:
            message = f"{where}: its ranking of customers {who} is not shown to beat chance."
            told.append(_alert("ranking", message, part["lift_at_10"]))
    if shift is not None and shift > SHIFTED:
        message = f"{where}: today's scores are distributed otherwise (PSI {shift:.2f})."
        told.append(_alert("drift", message, shift))
    return told


def _alert(rule: str, message: str, value: float) -> dict[str, Any]:
    return {"rule": rule, "message": message, "value": value}
