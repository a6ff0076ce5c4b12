"""A feature's value in a seller's words; None when the value says nothing worth saying.

Phrases state the customer's own number and nothing else. A money value at its winsor cap is
"or more". Which phrases are about the same thing is told by ``topic``: windows of one measure,
or a count and the months it fell in, never stand beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gosales.features import Feature

__all__ = ["MAX_LENGTH", "Phrasing", "shorten"]

MAX_LENGTH = 150
DAYS_A_YEAR = 365.25
# Shares of the year's quarters below this are no season.
MIN_SEASON = 0.3

TOPICS = {
    ("rfm", "tx_n"): "orders",
    ("lifecycle", "active_months"): "orders",
    ("rfm", "gp_sum"): "profit",
    ("rfm", "gp_mean"): "order value",
    ("rfm", "recency_days"): "recency",
    ("lifecycle", "tenure_days"): "tenure",
    ("lifecycle", "gap_days_mean"): "rhythm",
    ("lifecycle", "gap_days_last"): "rhythm",
    ("diversity", "divisions_n"): "breadth",
    ("diversity", "skus_n"): "breadth",
    ("trajectory", "gp_slope"): "trend",
    ("trajectory", "tx_slope"): "trend",
    ("returns", "n"): "returns",
    ("returns", "rate"): "returns",
}


@dataclass(frozen=True)
class Phrasing:
    """How one feature of a division is said. ``divisions`` maps slugs to names."""

    feature: Feature
    division: str
    divisions: Mapping[str, str]
    cap: float | None

    @property
    def topic(self) -> tuple[str, str]:
        """(what, about which part of the business)."""
        f = self.feature
        if f.family == "xdiv":
            return "owns", f.scope
        if f.family == "season":
            return "season", f.measure
        return TOPICS.get((f.family, f.measure), f"{f.family} {f.measure}"), f.scope

    def say(self, value: float) -> str | None:
        """At most 150 characters, or None."""
        if value != value:
            return None
        text = {
            "rfm": self._rfm,
            "lifecycle": self._lifecycle,
            "trajectory": self._trajectory,
            "season": self._season,
            "diversity": self._diversity,
            "returns": self._returns,
            "xdiv": self._cross,
            "affinity": self._affinity,
        }.get(self.feature.family, self._nothing)(value)
        return None if text is None else shorten(text)

    def _rfm(self, value: float) -> str | None:
        measure, own = self.feature.measure, self.feature.scope == "div"
        if measure == "recency_days":
            what = f"Last {self.division} order" if own else "Last order"
            return f"{what} {_ago(value)}"
        if value <= 0:
            return None
        name = f"{self.division} " if own else ""
        if measure == "tx_n":
            return f"{value:,.0f} {name}{_plural('order', value)} {self._when()}"
        if measure == "gp_sum":
            what = f"{name}gross profit"
            return f"{_capital(what)} of {self._money(value)} {self._when()}"
        if measure == "gp_mean":
            return f"{self._money(value)} gross profit per order{self._of()} {self._when()}"
        return None

    def _lifecycle(self, value: float) -> str | None:
        measure = self.feature.measure
        if measure == "tenure_days":
            return f"Customer for {_span(value)}" if value >= 1 else None
        if measure == "active_months" and value >= 1:
            return f"Ordered in {value:,.0f} {_plural('month', value)} so far"
        if measure == "gap_days_mean" and value >= 0.5:
            return f"Usually orders every {_days(value)}"
        if measure == "gap_days_last" and value >= 0.5:
            return f"{_days(value)} between the last two orders"
        return None

    def _trajectory(self, value: float) -> str | None:
        what = {"gp_slope": "Gross profit", "tx_slope": "Orders"}.get(self.feature.measure)
        if what is None or value == 0:
            return None
        verb = "rising" if value > 0 else "falling"
        return f"{what} {verb} over the last 12 months"

    def _season(self, value: float) -> str | None:
        quarter = self.feature.measure[1]
        if value < MIN_SEASON:
            return None
        return f"{_percent(value)} of orders fall in quarter {quarter} (last 24 months)"

    def _diversity(self, value: float) -> str | None:
        if value < 1:
            return None
        if self.feature.measure == "divisions_n":
            return f"Bought from {value:,.0f} {_plural('division', value)} {self._when()}"
        return f"{value:,.0f} different {_plural('product', value)} bought {self._when()}"

    def _returns(self, value: float) -> str | None:
        if value <= 0:
            return None
        if self.feature.measure == "n":
            return f"{value:,.0f} returned {_plural('line', value)}{self._of()} {self._when()}"
        return f"{_percent(value)} of lines returned{self._of()} {self._when()}"

    def _cross(self, value: float) -> str | None:
        name = self.divisions.get(self.feature.scope)
        if name is None:  # the smoothed share of the division itself is nobody's own number
            return None
        if self.feature.measure == "recency_days":
            return f"Last bought {name} {_ago(value)}"
        if value <= 0:
            return None
        if self.feature.measure == "owned":
            return f"Bought {name} before"
        return f"{_percent(value)} of gross profit from {name} {self._when()}"

    def _affinity(self, value: float) -> str | None:
        if self.feature.measure != "lift_max" or value <= 1:
            return None
        return f"Owns what buyers of {self.division} often own (lift {value:.1f})"

    def _nothing(self, value: float) -> str | None:
        return None

    def _when(self) -> str:
        window = self.feature.window
        return "so far" if window == "life" else f"in the last {window.removesuffix('m')} months"

    def _of(self) -> str:
        return f" in {self.division}" if self.feature.scope == "div" else ""

    def _money(self, value: float) -> str:
        figures = f"{value:,.0f}" if value >= 10 else f"{value:,.2f}"
        return f"{figures} or more" if self.cap is not None and value >= self.cap else figures


def shorten(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plural(noun: str, count: float) -> str:
    return noun if round(count) == 1 else f"{noun}s"


def _days(value: float) -> str:
    return f"{value:,.0f} {_plural('day', value)}"


def _ago(value: float) -> str:
    return "today" if value < 1 else f"{_days(value)} ago"


def _span(days: float) -> str:
    return _days(days) if days < DAYS_A_YEAR else f"{days / DAYS_A_YEAR:.1f} years"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.01 else "Under 1%"
