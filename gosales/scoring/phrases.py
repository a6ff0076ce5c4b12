"""A feature's value in a seller's words; None when the value says nothing worth saying.

Phrases state the customer's own number and nothing else, and only what speaks for a sale:
few orders or a falling trend may raise a score, yet are no argument. ``standing``, the share of
all customers with a lower value, tells much from little. A money value at its winsor cap is
"or more". Every phrase begins with words of ours, never with a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gosales.amounts import amount
from gosales.features import Feature

__all__ = ["MAX_LENGTH", "Phrasing", "shorten"]

MAX_LENGTH = 150
DAYS_A_YEAR = 365.25
# Shares of the year's quarters below this are no season.
MIN_SEASON = 0.4
MIN_AHEAD = 0.5
MIN_SHARE = 0.1
# "Much" is at least the middle of all customers; likeness to buyers needs more.
MUCH, VERY = 0.5, 0.75
# Days after which a last order is no news, and that make a customer a new one.
RECENT, NEW = 183, 183


@dataclass(frozen=True)
class Phrasing:
    """How one feature of a division is said. ``divisions`` maps slugs to names."""

    feature: Feature
    division: str
    divisions: Mapping[str, str]
    cap: float | None

    def say(self, value: float, standing: float = 1.0) -> str | None:
        """At most 150 characters, or None."""
        if value != value:
            return None
        text = {
            "rfm": self._rfm,
            "lifecycle": self._lifecycle,
            "trajectory": self._trajectory,
            "season": self._season,
            "diversity": self._diversity,
            "xdiv": self._cross,
            "affinity": self._fit,
            "als": self._fit,
            "attr": self._kind,
        }.get(self.feature.family, _nothing)(value, standing)
        return None if text is None else shorten(text)

    def _kind(self, value: float, standing: float) -> str | None:
        """What the customer is, where its kind of customer buys."""
        if self.feature.unit != "flag" or value != 1:
            return None
        return f"Its {self.feature.description.removeprefix('1 if ')}"

    def _rfm(self, value: float, standing: float) -> str | None:
        measure = self.feature.measure
        if measure == "recency_days":
            return f"Last order{self._of()} {_ago(value)}" if value <= RECENT else None
        if value <= 0 or standing < MUCH:
            return None
        if measure == "tx_n" and value > 1:
            return f"{value:,.0f} orders{self._of()} {self._when()}"
        if measure == "gp_sum":
            return f"Gross profit of {self._money(value)}{self._of()} {self._when()}"
        if measure == "gp_mean":
            return f"Gross profit of {self._money(value)} an order{self._of()} {self._when()}"
        return None

    def _lifecycle(self, value: float, standing: float) -> str | None:
        measure = self.feature.measure
        if measure == "tenure_days":
            if value < NEW:
                return f"New customer{self._of()}: first order {_ago(value)}"
            return f"Customer{self._of()} for {_span(value)}" if standing >= MUCH else None
        if measure == "active_months" and value > 1 and standing >= MUCH:
            return f"Ordered in {value:,.0f} different months{self._of()} so far"
        if measure == "order_days_n" and value > 1 and standing >= MUCH:
            return f"Ordered on {value:,.0f} days{self._of()} so far"
        if measure == "gap_days_mean" and value >= 0.5 and standing <= MUCH:
            return f"Usually orders{self._of()} every {_days(value).removeprefix('1 ')}"
        if measure == "overdue_ratio" and value >= 1.5 and self.feature.scope == "div":
            return f"Last order{self._of()} {value:,.1f} times its usual gap ago"
        return None

    def _trajectory(self, value: float, standing: float) -> str | None:
        measure, of = self.feature.measure, self._of()
        if measure == "gp_slope" and value > 0 and standing >= MUCH:
            return f"Gross profit{of} rising by {self._money(value)} a month ({self._span()})"
        if measure == "tx_slope" and value >= 0.05:
            return f"Orders{of} rising by {value:,.2f} a month ({self._span()})"
        if measure == "tx_delta" and value >= 1:
            return f"Placed {value:,.0f} more {_plural('order', value)}{of} than in the year before"
        if measure == "gp_delta" and value > 0 and standing >= MUCH:
            return f"Gross profit{of} up {self._money(value)} on the year before"
        return None

    def _season(self, value: float, standing: float) -> str | None:
        measure = self.feature.measure
        if measure == "ahead_share":
            ahead = f"{_percent(value)} of past orders{self._of()} fell in the months now ahead"
            return ahead if value >= MIN_AHEAD else None
        if value < MIN_SEASON:
            return None
        return f"{_percent(value)} of orders fall in quarter {measure[1]} (last 24 months)"

    def _diversity(self, value: float, standing: float) -> str | None:
        measure = self.feature.measure
        if standing < MUCH:
            return None
        what = {
            "divisions_n": "divisions",
            "skus_n": "different products",
            "new_divisions_n": "divisions for the first time",
            "new_skus_n": "products for the first time",
        }.get(measure)
        if what is None or value < 2:
            return None
        source = "from " if "divisions" in what else ""
        return f"Bought {source}{value:,.0f} {what} {self._when()}"

    def _cross(self, value: float, standing: float) -> str | None:
        name = self.divisions.get(self.feature.scope)
        if name is None:  # the smoothed share of the division itself is nobody's own number
            return None
        measure = self.feature.measure
        if measure == "recency_days":
            return f"Bought {name} {_ago(value)}"
        if measure == "owned" and value > 0:
            return f"Bought {name} before"
        if measure == "gp_share" and value >= MIN_SHARE:
            return f"{_percent(value)} of its gross profit from {name} {self._when()}"
        if measure == "tx_share" and value >= MIN_SHARE:
            return f"{_percent(value)} of its orders hold {name} {self._when()}"
        return None

    def _fit(self, value: float, standing: float) -> str | None:
        measure = self.feature.measure
        if measure == "lift_max" and value >= 1.1:
            return f"Buyers of the same things take up {self.division} {value:.1f} times as often"
        alike = self.feature.unit in ("spreads", "cosine")
        if alike and value > 0 and standing >= VERY:
            share = min(int(100 * standing), 99)
            return f"Buys like buyers of {self.division}: more so than {share}% of customers"
        return None

    def _when(self) -> str:
        window = self.feature.window
        return "so far" if window == "life" else f"in the last {self._span()}"

    def _span(self) -> str:
        months = self.feature.window.removesuffix("m")
        return "month" if months == "1" else f"{months} months"

    def _of(self) -> str:
        return f" in {self.division}" if self.feature.scope == "div" else ""

    def _money(self, value: float) -> str:
        told = amount(value)
        return f"{told} or more" if self._is_capped(value) else told

    def _is_capped(self, value: float) -> bool:
        """Matrices may keep what was capped in single precision."""
        return self.cap is not None and value >= self.cap - 1e-6 * abs(self.cap)


def shorten(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def _nothing(value: float, standing: float) -> str | None:
    return None


def _plural(noun: str, count: float) -> str:
    return noun if round(count) == 1 else f"{noun}s"


def _days(value: float) -> str:
    return f"{value:,.0f} {_plural('day', value)}"


def _ago(value: float) -> str:
    return "today" if value < 1 else f"{_span(value)} ago"


def _span(days: float) -> str:
    return _days(days) if days < DAYS_A_YEAR else f"{days / DAYS_A_YEAR:.1f} years"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
