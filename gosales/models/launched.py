"""What the days since its launch tell of the level of a division that hardly anybody has bought.

A division without a closed window borrows the model of the others, and their level. Where it has
more than a few customers that is a fair guess: a launch begins with a burst or slowly, and neither
lasts. Where it has not, who bought since it was first sold says more: their number is held
against what the others' first purchases in the same days would make of it. The ratio of the two
is that of a Gamma prior about 1, as wide as divisions' levels differ beyond chance, after so many
Poisson events (a Gamma-Poisson model, as in Gelman et al., Bayesian Data Analysis, 2.6). A single
line under a misspelt name thus offers nobody much.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import ibis
import numpy as np
from ibis import _

from gosales.etl.star import Star, open_star
from gosales.labels import LabelSpec, first_purchase_counts
from gosales.months import Window, add_months
from gosales.run import Run

__all__ = ["Count", "first_buyers", "launched", "posterior"]

DAY = dt.timedelta(days=1)
# The variance of levels (log-odds) where few divisions tell, and the least that is believed.
UNKNOWN, LEAST, FEWEST = 1.0, 0.25, 3
# Divisions with fewer customers than these are judged by them.
FEW = 10
# (customers, buyers)
Count = tuple[float, float]


def launched(
    run: Run, divisions: Sequence[str], targets: Iterable[dt.date], window_months: int
) -> dict[tuple[str, dt.date], float]:
    """(division, target) -> what to add to the borrowed log-odds of a first purchase.

    For divisions that were first sold within the label window that ends at the target, and have
    few customers by then.
    """
    star = open_star(run)
    buyers = _buyers(run, star)
    first = {name: days[0] for name, days in buyers.items()}
    since: dict[tuple[str, dt.date], Window] = {}
    for day in targets:
        end = min(day, star.about.last_order)
        for name in divisions:
            lately = name in first and add_months(day, -window_months) < first[name] < end
            if lately and sum(one <= day for one in buyers[name]) < FEW:
                since[name, day] = Window(first[name] + DAY, end)
    if not since:
        return {}
    counts = first_buyers(run, star, divisions, since.values())
    return {
        (name, day): _move(name, window, counts, first, window_months)
        for (name, day), window in since.items()
    }


def first_buyers(
    run: Run, star: Star, divisions: Sequence[str], windows: Iterable[Window]
) -> dict[tuple[str, Window], Count]:
    """(division, window) -> customers who could buy there for the first time, and who did."""
    asked = sorted(set(windows), key=lambda window: (window.start, window.end))
    spec = LabelSpec.from_settings(run)
    table = run.engine.to_arrow(first_purchase_counts(star, divisions, asked, spec))
    return {
        (row["division"], Window(row["cutoff"] + DAY, row["window_end"])): (
            float(row["customers"]),
            float(row["buyers"]),
        )
        for row in table.to_pylist()
    }


def _buyers(run: Run, star: Star) -> dict[str, list[dt.date]]:
    """Division -> the days on which its first customers first bought it, ``FEW`` at most."""
    pairs = star.transactions.group_by("product_division", "customer_id").agg(
        day=_.order_date.min()
    )
    earliest = ibis.row_number().over(
        ibis.window(group_by="product_division", order_by=["day", "customer_id"])
    )
    rows = pairs.mutate(place=earliest).filter(_.place < FEW).order_by("product_division", "place")
    found: dict[str, list[dt.date]] = {}
    for row in run.engine.to_arrow(rows).to_pylist():
        found.setdefault(row["product_division"], []).append(row["day"])
    return found


def _move(
    name: str,
    window: Window,
    counts: Mapping[tuple[str, Window], Count],
    first: Mapping[str, dt.date],
    window_months: int,
) -> float:
    own = counts.get((name, window))
    # Divisions that had been sold for a window by then are at their level.
    others = [
        count
        for (other, when), count in counts.items()
        if when == window and add_months(first[other], window_months) < window.start
    ]
    return posterior(own, others) if own is not None and others else 0.0


def posterior(own: Count, others: Sequence[Count]) -> float:
    """The logarithm of buyers over those expected at the others' level, as far as it is known.

    At most 0: a launch may begin with a burst of those who had waited for it, which does not last.
    """
    sizes, bought = np.array(others).T
    levels = np.log((bought + 0.5) / (sizes - bought + 0.5))
    chance = np.mean(1 / (bought + 0.5) + 1 / (sizes - bought + 0.5))
    spread = UNKNOWN
    if len(others) >= FEWEST:
        spread = max(float(np.var(levels, ddof=1) - chance), LEAST)
    expected = own[0] / (1 + np.exp(-levels.mean()))
    ratio = (1 / spread + own[1]) / (1 / spread + expected)
    return float(min(np.log(ratio), 0.0))
