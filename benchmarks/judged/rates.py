"""The classic of repeat buying, BG/NBD: of the division's orders where there are any.

Orders come at a rate that is Gamma distributed over customers; after each a customer may
leave, with a chance that is Beta distributed (Fader, Hardie and Lee, 2005). For owners it is
fitted to the division's own orders, for the others to the customer's orders in all divisions.
Time is in months. Fitted at each cutoff by maximum likelihood.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from .calibrated import calibrated
from .lines import Lines
from .split import Split

__all__ = ["BgNbd", "fit_bgnbd", "rates"]

Floats = npt.NDArray[np.float64]
MONTH = 365.25 / 12
# Log parameters are held near 0 so that few customers cannot drive them away.
HOLD = 0.02


@dataclass(frozen=True)
class BgNbd:
    """Fitted parameters; ``chance`` takes repeats, months from first to last, and to now."""

    r: float
    alpha: float
    a: float
    b: float

    def chance(self, x: Floats, last: Floats, age: Floats, months: float) -> Floats:
        """P(an order in the next ``months``)."""
        log_gone = (
            np.log(self.a)
            - np.log(self.b + np.maximum(x, 1) - 1)
            + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + last))
        )
        alive = np.where(x > 0, 1 / (1 + np.exp(np.clip(log_gone, -50, 50))), 1.0)
        none = ((self.alpha + age) / (self.alpha + age + months)) ** (self.r + x)
        result: Floats = alive * (1 - none)
        return result


def fit_bgnbd(x: Floats, last: Floats, age: Floats) -> BgNbd:
    """By maximum likelihood; arrays have a customer a row."""

    def loss(theta: Floats) -> float:
        r, alpha, a, b = np.exp(theta)
        head = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        leaves = (
            betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + last)
        )
        total = head + np.where(x > 0, np.logaddexp(stays, leaves), stays)
        return float(-total.mean() + HOLD * (theta**2).mean())

    best = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-6, 6)] * 4)
    return BgNbd(*np.exp(best.x))


def rates(split: Split) -> dict[str, Floats]:
    """The log-odds of these chances, calibrated."""
    lines = split.lines
    return calibrated(split, lambda day: _log_odds(split, lines.until(day), day))


def _log_odds(split: Split, known: Lines, day: dt.date) -> Floats:
    people, n = split.people[day], len(split.customers)
    whole = known.past(n)
    seen = _times(whole.first[people], whole.last[people], day)
    model = fit_bgnbd(whole.orders[people] - 1, *seen)
    scores = []
    for code in range(len(split.divisions)):
        own = known.of_division(code).past(n)
        p = model.chance(whole.orders[people] - 1, *seen, split.window_months)
        owners = np.flatnonzero(own.orders[people] > 0)
        if len(owners) > 1:
            x = own.orders[people[owners]] - 1
            span = _times(own.first[people[owners]], own.last[people[owners]], day)
            p[owners] = fit_bgnbd(x, *span).chance(x, *span, split.window_months)
        p = np.clip(p, 1e-9, 1 - 1e-9)
        scores.append(np.log(p) - np.log1p(-p))
    return np.array(scores)


def _times(
    first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], day: dt.date
) -> tuple[Floats, Floats]:
    """Months from the first order to the last, and to the cutoff."""
    return (last - first) / MONTH, (day.toordinal() - first) / MONTH
