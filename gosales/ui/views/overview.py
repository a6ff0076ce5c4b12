"""The first page: from rows to opportunities, the market still open, what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibis import _

from gosales.errors import GoSalesError
from gosales.ui.shelf import Shelf
from gosales.ui.views.commands import SCORE, STAR, WHITESPACE
from gosales.ui.views.health import GOOD, Health, health
from gosales.ui.views.models import summaries

__all__ = ["Alert", "Market", "Overview", "Step", "overview", "scored_cutoff"]


# Alerts of a validation that are told one by one.
MOST_TOLD = 5


@dataclass(frozen=True)
class Step:
    """A step of the funnel; ``of`` says what is counted."""

    name: str
    count: int
    of: str


@dataclass(frozen=True)
class Market:
    """A division: customers without it, what they are expected to bring, and of that the list."""

    division: str
    customers: int
    expected_gp: float
    listed: int
    listed_gp: float


@dataclass(frozen=True)
class Alert:
    """``level``: error, warning or info."""

    level: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Overview:
    """What of it can be said; parts whose artifacts are not usable are empty, with an alert."""

    funnel: list[Step]
    markets: list[Market]
    health: list[Health]
    alerts: list[Alert]
    facts: dict[str, Any]

    @property
    def is_empty(self) -> bool:
        return not self.funnel

    @property
    def open_gp(self) -> float:
        return sum(market.expected_gp for market in self.markets)

    @property
    def listed_gp(self) -> float:
        return sum(market.listed_gp for market in self.markets)


def overview(shelf: Shelf) -> Overview:
    """Never raises for a workspace that is empty, partial, stale or broken: it says so."""
    lines = health(shelf)
    alerts = [_stage_alert(line) for line in lines if line.artifacts and line.state != GOOD]
    star = _or_none(shelf, STAR, shelf.workspace.star_facts)
    told = _or_none(shelf, SCORE, shelf.workspace.output("scoring.json"))
    figures = _figures(shelf, told)
    markets = _markets(shelf)
    if star:
        alerts += _data_alerts(star)
        alerts += [_not_made(line) for line in lines if line.state == "missing"]
    alerts += _model_alerts(shelf, told)
    facts = {
        "cutoff": told and told["cutoff"],
        "window_months": told and told.get("window_months"),
        "last_order": star and star["last_order"],
        "first_order": star and star["first_order"],
        "likely_gp": _likely(figures),
    }
    return Overview(_funnel(star, figures), markets, lines, alerts, facts)


def scored_cutoff(shelf: Shelf) -> str:
    """The day the scores are made for; raises MissingArtifact, StaleArtifact, IntegrityError."""
    return str(shelf.json(shelf.workspace.output("scoring.json"), SCORE)["cutoff"])


def _or_none(shelf: Shelf, command: str, path: Any) -> Any:
    try:
        return shelf.json(path, command)
    except GoSalesError:
        return None


def _likely(figures: Any) -> Any:
    """None for a list of a version that had no intervals."""
    return figures and figures.get("intervals", {}).get("80%", {}).get("expected_gp")


def _figures(shelf: Shelf, told: Any) -> Any:
    if not told:
        return None
    path = shelf.workspace.output(f"whitespace_metrics_{told['cutoff']}.json")
    return _or_none(shelf, WHITESPACE, path)


def _funnel(star: Any, figures: Any) -> list[Step]:
    if not star:
        return []
    report = star.get("report") or {}
    steps = []
    if "rows_read" in report:
        steps.append(Step("Rows read", report["rows_read"], "rows of the sales log"))
        steps.append(Step("Rows curated", report["rows_curated"], "rows that passed every check"))
    steps.append(Step("Order lines", star["transactions"], "product lines of orders"))
    steps.append(Step("Customers", star["customers"], "customers with an order"))
    if figures:
        removed = figures["eligibility"]["removed"]
        scored = figures["eligibility"]["candidates"]
        owned = removed.get("bought_before", 0)
        steps.append(Step("Scored pairs", scored, "customer × division, each with its odds"))
        steps.append(Step("Open pairs", scored - owned, "never bought: the whitespace"))
        steps.append(
            Step("Eligible", figures["eligibility"]["eligible"], "and may be approached now")
        )
        capacity = figures["capacity"]
        handed = capacity.get("listed", capacity.get("selected", 0))
        steps.append(Step("Opportunities", handed, "on the list: what the team can work"))
    return steps


def _markets(shelf: Shelf) -> list[Market]:
    """Largest first; empty when the scores cannot be used."""
    place = shelf.workspace
    scores, listing = place.output("icp_scores.parquet"), place.output("whitespace.parquet")
    if shelf.failure(scores, SCORE) is not None:
        return []
    usable = shelf.failure(listing, WHITESPACE) is None

    def make() -> list[Market]:
        table = shelf.table(scores, SCORE)
        free = table.filter(table.owned_before == 0)
        sums = free.group_by("division_name").agg(n=_.count(), gp=_.expected_gp.sum())
        on_list: dict[str, tuple[int, float]] = {}
        if usable:
            lines = shelf.table(listing, WHITESPACE)
            for name, value in (("selected", 1), ("control", 0)):
                lines = lines.filter(lines[name] == value) if name in lines.columns else lines
            parts = lines.group_by("whitespace_division").agg(n=_.count(), gp=_.expected_gp.sum())
            on_list = {r["whitespace_division"]: (r["n"], r["gp"]) for r in shelf.rows(parts)}
        found = [
            Market(r["division_name"], r["n"], r["gp"], *on_list.get(r["division_name"], (0, 0.0)))
            for r in shelf.rows(sums)
        ]
        return sorted(found, key=lambda market: (-market.expected_gp, market.division))

    found: list[Market] = shelf.kept(f"markets {usable}", [scores, listing], make)
    return found


def _stage_alert(line: Health) -> Alert:
    level = "error" if line.state == "broken" else "warning"
    return Alert(level, f"{line.name}: {line.state}. {line.told}", line.command)


def _not_made(line: Health) -> Alert:
    return Alert("info", f"{line.name}: not made yet.", line.command)


def _data_alerts(star: dict[str, Any]) -> list[Alert]:
    report = star.get("report") or {}
    bad = report.get("rows_quarantined", 0)
    if not bad:
        return []
    rules = ", ".join(f"{n} {rule}" for rule, n in report.get("quarantined_by_rule", {}).items())
    return [Alert("warning", f"{bad} rows of the log are in quarantine ({rules}).")]


def _model_alerts(shelf: Shelf, told: Any) -> list[Alert]:
    alerts = []
    if told and told.get("hindsight"):
        names = ", ".join(told["hindsight"])
        alerts.append(
            Alert("warning", f"Scores of {names} are hindsight: models saw what came after.")
        )
    for division, why in (told or {}).get("skipped", {}).items():
        alerts.append(Alert("warning", f"{division} has no scores: {why}"))
    weak = _weak(shelf)
    if weak:
        alerts.append(
            Alert(
                "warning",
                "Among customers who never bought them, not shown to beat a recency-frequency "
                f"rule: {', '.join(weak)}. Treat their order with care.",
            )
        )
    return alerts + _validation(shelf)


def _weak(shelf: Shelf) -> list[str]:
    """Divisions whose model was judged and not found better than the rule, as Models says it."""
    if not shelf.has(shelf.workspace.output("training.json")):
        return []

    def make() -> list[str]:
        try:
            return [line.division for line in summaries(shelf) if line.beats_rule is False]
        except GoSalesError:
            return []  # the state of the models says what is wrong

    found: list[str] = shelf.kept("weak", [shelf.workspace.output("training.json")], make)
    return found


def _validation(shelf: Shelf) -> list[Alert]:
    """What the newest validated cutoff told of the divisions."""
    places = [Path(name) for name in shelf.registry() if name.endswith("/alerts.json")]
    newest = max((place.parent.name for place in places), default="")
    told = []
    for place in sorted(place for place in places if place.parent.name == newest):
        path = shelf.workspace.root / place
        content = _or_none(shelf, f"gosales validate forward --cutoff {newest}", path)
        told += [str(alert["message"]) for alert in (content or {}).get("alerts", [])]
    alerts = [Alert("warning", text) for text in told[:MOST_TOLD]]
    if len(told) > MOST_TOLD:
        more = f"{len(told) - MOST_TOLD} more of {newest} stand in gosales/outputs/validation."
        alerts.append(Alert("warning", more))
    return alerts
