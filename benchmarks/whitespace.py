"""How much of what was bought the list holds, beside simpler ways to make one.

    python benchmarks/whitespace.py                      # simulated and completejourney
    python benchmarks/whitespace.py --log DIR --sweep    # a folder with a sales log of yours
    python benchmarks/whitespace.py --cutoffs 9 --months 1      # and the mean over nine cutoffs

At an earlier cutoff, models are trained on label windows that had closed by then; every way
ranks the same pairs (customers who never bought the division), and the first 5, 10 and 20 % of
them are held against what was bought in the window after. Intervals: 95 %, customers resampled,
the same ones at all cutoffs.
Prints markdown. The list is without its limit of accounts a rep, which the others do not have.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gosales.config import load_settings
from gosales.errors import NothingToDo
from gosales.etl.build_star import build_star
from gosales.etl.star import open_star, read_star_facts
from gosales.pipeline.setup import sample_completejourney, sample_simulated
from gosales.run import Run, open_run
from gosales.scoring import CERTAIN, LIKELY, Outlook
from gosales.settings import WhitespaceWeights
from gosales.whitespace.backtest import backtest_forecasts, backtest_scores, earlier_cutoffs
from gosales.whitespace.capacity import Limits, choose
from gosales.whitespace.capture import realised
from gosales.whitespace.eligibility import eligible_pairs
from gosales.whitespace.learned import learned_weights
from gosales.whitespace.ranking import Pairs, codes, open_pairs
from gosales.whitespace.signals import effective_weights
from gosales.workspace import Workspace

if __package__:
    from benchmarks.rankings import als, popularity
else:
    sys.path.insert(0, str(Path(__file__).parent))
    from rankings import als, popularity

PERCENTS = (5.0, 10.0, 20.0)
DRAWS = 400
RANDOM = 20
LIST = "**the list**"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """The pairs of a cutoff and what came of them."""

    run: Run
    cutoff: dt.date
    pairs: Pairs
    label: Floats
    profit: Floats
    outlook: Outlook

    def names(self) -> npt.NDArray[np.str_]:
        """The customers in the order of their numbers."""
        return np.array(codes(self.pairs.table["customer_id"])[0], dtype=np.str_)


def cases(run: Run, count: int, months: int | None = None) -> Iterator[Case]:
    """The newest cutoffs whose window has closed, newest first, so many months apart (None: a
    window)."""
    last = read_star_facts(run.workspace).last_order
    for cutoff in earlier_cutoffs(run, last, count, months):
        scores = run.engine.read_parquet(backtest_scores(run, cutoff))
        table = eligible_pairs(run, scores, open_star(run), cutoff, lists=False).pairs
        table = table.sort_by([("customer_id", "ascending"), ("division_name", "ascending")])
        pairs = open_pairs(run, table, cutoff)
        label, profit = realised(run, pairs.table, cutoff)
        met = pq.read_table(backtest_forecasts(run, cutoff)).to_pylist()
        yield Case(run, cutoff, pairs, label, profit, Outlook.of(met, "expansion"))


def listed(case: Case, weights: dict[str, float], share: float) -> Ints:
    """The order that a list of these weights and this most of one division has."""
    pairs, settings = case.pairs, case.run.settings.whitespace
    used = effective_weights(weights, pairs.signals.coverage, settings.min_coverage).used
    order = pairs.order(pairs.signals.score(used))
    nobody = np.full(len(order), -1)
    limits = Limits("hybrid", max(PERCENTS), 1, share, len(order))
    first = choose(pairs.division[order], pairs.customer[order], nobody, limits).rows
    return np.concatenate([order[first], np.delete(order, first)])


def own_rankings(case: Case) -> dict[str, list[Ints]]:
    """Those made of our own scores alone."""
    pairs, settings = case.pairs, case.run.settings.whitespace
    weights = settings.weights
    ways: dict[str, list[Ints]] = {}
    if isinstance(weights, WhitespaceWeights):
        ways[LIST] = [listed(case, weights.model_dump(), settings.max_division_share)]
    ties = np.random.default_rng(case.run.settings.run.seed).random(len(pairs.odds))
    ways["probability only"] = [np.lexsort((ties, -pairs.odds))]
    ways["expected value only"] = [np.lexsort((ties, -pairs.worth))]
    return ways


def rankings(case: Case, learned: bool) -> dict[str, list[Ints]]:
    """Each way's order of the pairs; several for one with chance in it."""
    pairs, settings = case.pairs, case.run.settings.whitespace
    rng = np.random.default_rng(case.run.settings.run.seed)
    count = len(pairs.odds)
    ways = own_rankings(case)
    if learned:
        with contextlib.suppress(NothingToDo):
            found = learned_weights(case.run, case.cutoff).weights
            ways["learned weights"] = [listed(case, found, settings.max_division_share)]
    ties = rng.random(count)
    ways["popularity"] = [np.lexsort((ties, -popularity(case.run, pairs, case.cutoff)))]
    likes = als(case.run, pairs, case.cutoff)
    if likes is not None:
        ways["implicit ALS"] = [np.lexsort((ties, -likes))]
    ways["random"] = [rng.permutation(count) for _ in range(RANDOM)]
    return ways


def captured(case: Case, orders: list[Ints], draws: Floats) -> Floats:
    """(draws, 2, percents): shares of buyers and of gross profit; the first draw is the data."""
    gain = np.maximum(case.profit, 0.0)
    total = np.zeros((len(draws), 2, len(PERCENTS)))
    for order in orders:
        weight = draws[:, case.pairs.customer[order]]
        reached = np.cumsum(weight, axis=1)
        ends = np.array(PERCENTS) / 100 * reached[:, -1:]
        for place, values in enumerate((case.label[order], gain[order])):
            running = np.cumsum(weight * values, axis=1)
            whole = np.maximum(running[:, -1], 1e-12)
            for number in range(len(PERCENTS)):
                # The row that takes the list over its capacity is still on it.
                at = np.minimum((reached < ends[:, [number]]).sum(axis=1), len(order) - 1)
                total[:, place, number] += running[np.arange(len(draws)), at] / whole
    return total / len(orders)


def resampled(past: list[Case]) -> list[Floats]:
    """For each case (1 + DRAWS, customers): how often each is drawn, once each in the first row."""
    people = np.unique(np.concatenate([case.names() for case in past]))
    count = len(people)
    rng = np.random.default_rng(past[0].run.settings.run.seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    draws = np.vstack([np.ones(count), drawn]).astype(np.float64)
    return [draws[:, np.searchsorted(people, case.names())] for case in past]


def report(name: str, case: Case, learned: bool) -> None:
    pairs = case.pairs
    print(f"\n### {name}, {case.cutoff}\n")
    print(
        f"{len(pairs.odds):,} pairs, {int(case.label.sum()):,} bought within "
        f"{case.run.settings.labels.window_months} months, "
        f"{np.maximum(case.profit, 0).sum():,.0f} gross profit."
    )
    (draws,) = resampled([case])
    found = {way: captured(case, orders, draws) for way, orders in rankings(case, learned).items()}
    head("share captured at capacity")
    for way, shares in found.items():
        print(f"| {way} | {' | '.join(cells(shares.reshape(len(shares), -1)))} |")
    if LIST in found:
        gaps("the list less", found)
        expected_and_realised([case], [draws])


def on_average(name: str, past: list[Case]) -> None:
    """The list beside our own simpler orders, where single accounts weigh less."""
    print(f"\n### {name}, mean over {len(past)} cutoffs, {past[-1].cutoff} to {past[0].cutoff}")
    drawn = resampled(past)
    parts = [
        {way: captured(case, orders, draws) for way, orders in own_rankings(case).items()}
        for case, draws in zip(past, drawn, strict=True)
    ]
    means = {way: np.mean([part[way] for part in parts], axis=0) for way in parts[0]}
    if LIST in means:
        gaps("the list less", means)
        expected_and_realised(past, drawn)


def gaps(title: str, found: dict[str, Floats]) -> None:
    head(title)
    for way, shares in found.items():
        if way != LIST:
            gap = (found[LIST] - shares).reshape(len(shares), -1)
            print(f"| {way} | {' | '.join(cells(gap, sign='+'))} |")


def head(title: str) -> None:
    heads = [f"{what} {p:g} %" for what in ("buyers", "profit") for p in PERCENTS]
    print(f"\n| {title} | {' | '.join(heads)} |\n| --- {'| --- ' * len(heads)}|")


def cells(values: Floats, sign: str = "") -> list[str]:
    low, high = np.quantile(values[1:], [0.025, 0.975], axis=0)
    return [
        f"{value:{sign}.3f} ({least:{sign}.3f} to {most:{sign}.3f})"
        for value, least, most in zip(values[0], low, high, strict=True)
    ]


def expected_and_realised(past: list[Case], draws: list[Floats]) -> None:
    """The list's expected gross profit beside what its buyers brought, at 10 %; means over cutoffs.

    Of one cutoff with the interval that was foretold, of several with how often it held. A
    purchase at a loss is no buyer (its label is 0): what such rows lost is told apart.
    """
    found = [_at_ten(case, weight) for case, weight in zip(past, draws, strict=True)]
    worth, odds, lost = np.mean([one.expected for one in found], axis=0)
    brought, buyers = np.mean([one.came for one in found], axis=0)
    low, high = np.quantile(brought[1:], [0.025, 0.975])
    few, many = np.quantile(buyers[1:], [0.025, 0.975])
    print(
        f"\nThe list at 10 %: expected gross profit {worth:,.0f}, "
        f"realised {brought[0]:,.0f} ({low:,.0f} to {high:,.0f}), "
        f"beside {lost:,.0f} of purchases at a loss; "
        f"expected buyers {odds:,.0f}, "
        f"realised {buyers[0]:,.0f} ({few:,.0f} to {many:,.0f})."
    )
    for number, (what, key) in enumerate(
        (("gross profit", "expected_gp"), ("buyers", "expected_buyers"))
    ):
        bounds = {
            coverage: np.array([one.foretold[coverage][key] for one in found])
            for coverage in (LIKELY, CERTAIN)
        }
        held = np.array([one.came[number, 0] for one in found])
        inside = {c: int(((b[:, 0] <= held) & (held <= b[:, 1])).sum()) for c, b in bounds.items()}
        each = [
            f"{coverage:.0%} {b[0, 0]:,.0f} to {b[0, 1]:,.0f}" if len(past) == 1
            else f"{inside[coverage]} of {len(past)} cutoffs within {coverage:.0%}"
            for coverage, b in bounds.items()
        ]  # fmt: skip
        print(f"Intervals foretold for its {what}: {'; '.join(each)}.")


@dataclass(frozen=True)
class AtTen:
    """``expected`` profit, buyers and losses; ``came``: (2, draws) profit and buyers;
    ``foretold`` intervals by their coverage."""

    expected: tuple[float, float, float]
    came: Floats
    foretold: dict[float, dict[str, list[float]]]


def _at_ten(case: Case, draws: Floats) -> AtTen:
    settings, pairs = case.run.settings.whitespace, case.pairs
    assert isinstance(settings.weights, WhitespaceWeights)
    order = listed(case, settings.weights.model_dump(), settings.max_division_share)
    rows = order[: len(order) // 10]
    weight, label, profit = draws[:, pairs.customer[rows]], case.label[rows], case.profit[rows]
    odds, worth, division = pairs.odds[rows], pairs.worth[rows], pairs.division[rows]
    return AtTen(
        (worth.sum(), odds.sum(), profit[label == 0].sum()),
        np.array([weight @ (profit * label), weight @ label]),
        {c: case.outlook.intervals(odds, worth, division, c) for c in (LIKELY, CERTAIN)},
    )


def sweep(name: str, case: Case) -> None:
    """The shares of other weights and caps: what the defaults were chosen by."""
    print(f"\n### {name}, {case.cutoff}: weights and caps")
    head("weights, most of one division")
    one = np.ones((1, int(case.pairs.customer.max()) + 1))
    for part in (1.0, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.3, 0.0):
        for share in (0.2, 0.3, 0.4, 0.5, 1.0):
            weights = {"probability": part, "expected_gp": 1 - part}
            shown(case, f"p {part:g}, cap {share:g}", listed(case, weights, share), one)
    for signal in ("affinity", "similarity"):
        weights = {"probability": 0.6, "expected_gp": 0.3, signal: 0.1}
        shown(case, f"p 0.6, {signal} 0.1, cap 0.3", listed(case, weights, 0.3), one)


def shown(case: Case, name: str, order: Ints, draws: Floats) -> None:
    shares = captured(case, [order], draws)[0].ravel()
    print(f"| {name} | {' | '.join(f'{value:.3f}' for value in shares)} |")


def measure(name: str, folder: Path, choice: argparse.Namespace) -> None:
    workspace = Workspace(folder)
    with open_run(workspace, load_settings(workspace.root), "benchmark") as run:
        build_star(run)
        past = list(cases(run, choice.cutoffs, choice.months))
        if choice.sweep:
            for case in past:
                sweep(name, case)
            return
        report(name, past[0], choice.learned)
        if len(past) > 1:
            on_average(name, past)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, action="append", help="a workspace with a sales log")
    parser.add_argument("--customers", type=int, default=2000, help="of the simulated log")
    parser.add_argument("--cutoffs", type=int, default=1, help="how many, newest first")
    parser.add_argument("--months", type=int, help="between cutoffs (default: a label window)")
    parser.add_argument("--learned", action="store_true", help="also learned weights (slower)")
    parser.add_argument("--sweep", action="store_true", help="other weights and caps")
    choice = parser.parse_args()
    if choice.log:
        for folder in choice.log:
            measure(folder.name, folder, choice)
        return
    with tempfile.TemporaryDirectory() as folder:
        sample_simulated(Path(folder) / "simulated", customers=choice.customers)
        sample_completejourney(Path(folder) / "completejourney")
        for name in ("simulated", "completejourney"):
            measure(name, Path(folder) / name, choice)


if __name__ == "__main__":
    main()
