"""How much of what was bought the list holds, beside simpler ways to make one.

    python benchmarks/whitespace.py                      # simulated and completejourney
    python benchmarks/whitespace.py --log DIR            # a folder with a sales log of yours
    python benchmarks/whitespace.py --cutoffs 9 --months 1      # and the mean over nine cutoffs
    python benchmarks/whitespace.py --cutoffs 9 --months 1 --sweep      # other weights and caps

At an earlier cutoff, models are trained on label windows that had closed by then; every way
ranks the same pairs (customers who never bought the division), and the first 5, 10 and 20 % of
them are held against what was bought in the window after. Intervals: 95 %, customers resampled,
the same ones at all cutoffs.
Prints markdown. The list is without its limit of accounts a rep, which the others do not have.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from gosales.config import load_settings
from gosales.errors import NothingToDo
from gosales.etl.build_star import build_star
from gosales.pipeline.setup import sample_completejourney, sample_simulated
from gosales.run import open_run
from gosales.scoring import CERTAIN, LIKELY
from gosales.settings import WhitespaceWeights
from gosales.whitespace.learned import learned_weights
from gosales.workspace import Workspace

if __package__:
    from benchmarks.captured import (
        PERCENTS,
        Case,
        Floats,
        Ints,
        captured,
        cases,
        listed,
        resampled,
    )
    from benchmarks.rankings import als, popularity
else:
    sys.path.insert(0, str(Path(__file__).parent))
    from captured import PERCENTS, Case, Floats, Ints, captured, cases, listed, resampled
    from rankings import als, popularity

RANDOM = 20
LIST = "**the list**"
# Weights of odds, expected gross profit and relative worth.
SWEPT = (
    (0.98, 0.02, 0.0), (0.95, 0.05, 0.0), (0.9, 0.1, 0.0), (0.9, 0.0, 0.1), (0.87, 0.03, 0.1),
    (0.86, 0.04, 0.1), (0.82, 0.03, 0.15), (0.8, 0.05, 0.15), (0.72, 0.03, 0.25),
)  # fmt: skip


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


def interval(draws: Floats) -> Floats:
    """The 95 % interval of each column."""
    return np.quantile(draws, [0.025, 0.975], axis=0)


def cells(values: Floats, sign: str = "") -> list[str]:
    low, high = interval(values[1:])
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
    low, high = interval(brought[1:])
    few, many = interval(buyers[1:])
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
        if len(past) > 1:
            low, high = interval(np.transpose([one.came[number, 1:] for one in found]))
            hoped = np.array([one.expected[number] for one in found])
            met = int(((low <= hoped) & (hoped <= high)).sum())
            print(f"Its expected {what} within chance of what came: {met} of {len(past)} cutoffs.")


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


def sweep(name: str, past: list[Case]) -> None:
    """Other weights and caps less probability alone, means over cutoffs: what the defaults were
    chosen by. A star: beyond noise."""
    print(f"\n### {name}, weights and caps, mean over {len(past)} cutoffs")
    drawn = resampled(past)

    def mean(order: Callable[[Case], Ints]) -> Floats:
        return np.mean(
            [captured(case, [order(case)], draws) for case, draws in zip(past, drawn, strict=True)],
            axis=0,
        )

    alone = mean(lambda case: own_rankings(case)["probability only"][0])
    head("odds, expected profit, relative worth; most of one division, less probability alone")
    for share, parts in itertools.product((0.4, 0.5, 1.0), SWEPT):
        weights = dict(zip(("probability", "expected_gp", "relative_worth"), parts, strict=True))
        found = mean(partial(listed, weights=weights, share=share)) - alone
        gap = found.reshape(len(found), -1)
        low, high = interval(gap[1:])
        told = [
            f"{value:+.3f}{'*' if least > 0 or most < 0 else ''}"
            for value, least, most in zip(gap[0], low, high, strict=True)
        ]
        print(f"| {', '.join(f'{part:g}' for part in parts)}; {share:g} | {' | '.join(told)} |")


def measure(name: str, folder: Path, choice: argparse.Namespace) -> None:
    workspace = Workspace(folder)
    with open_run(workspace, load_settings(workspace.root), "benchmark") as run:
        build_star(run)
        past = list(cases(run, choice.cutoffs, choice.months))
        if choice.sweep:
            sweep(name, past)
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
