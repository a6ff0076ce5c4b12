"""The result as Markdown: a table of everybody, and one by division."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .contest import OURS, PREVALENCE, TRUTH, Contest, Contestant
from .figures import Estimate, difference, ratio
from .split import COHORTS, Split

__all__ = ["page", "write_section"]

HEAD = ("AUC", "lift@10", "GoSales less it", "Brier skill", "calibration MAE")


def page(
    title: str,
    command: str,
    splits: Sequence[Split],
    contest: Contest,
    everybody: Sequence[Contestant],
    seconds: float,
) -> str:
    """A section of docs/quality.md."""
    parts = [f"### {title}", f"    {command}", _facts(splits, contest, seconds)]
    for cohort in COHORTS:
        if contest.cells[cohort]:
            parts += [f"**{cohort.capitalize()}**: {_count(contest, cohort)}"]
            parts += [_table(contest, everybody, cohort)]
        else:
            parts += [f"**{cohort.capitalize()}**: no division has 8 buyers and 8 others."]
    if contest.played(TRUTH):
        parts.append(_share(contest))
    if contest.constant.get(OURS):
        parts.append(_unmodelled(contest, everybody))
    if contest.cells[COHORTS[0]]:
        parts += ["Lift@10 by division, never bought:", _by_division(contest, everybody)]
    return "\n\n".join(parts) + "\n"


def write_section(path: Path, name: str, text: str) -> None:
    """Replace what stands between the section's marks, or add it at the end."""
    start, end = f"<!-- quality: {name} -->", f"<!-- end of quality: {name} -->"
    whole = path.read_text(encoding="utf-8") if path.exists() else "# Quality\n"
    block = f"{start}\n{text}{end}"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(whole):
        whole = pattern.sub(lambda _: block, whole)
    else:
        whole = f"{whole.rstrip()}\n\n{block}\n"
    path.write_text(whole, encoding="utf-8")


def _facts(splits: Sequence[Split], contest: Contest, seconds: float) -> str:
    lines = []
    for split in splits:
        days = "a day" if split.late_days == 1 else f"{split.late_days} days"
        late = f" (its window ends {days} after the last order)" if split.late_days else ""
        lines.append(
            f"Test cutoff {split.test}{late}, windows of {split.window_months} months, "
            f"{len(split.scored):,} customers, {len(split.divisions)} divisions; trained on "
            f"{len(split.days)} cutoffs, {split.days[0]} to {split.days[-1]}."
        )
    lines.append(f"{len(contest.judge.weights)} bootstrap draws. It took {seconds:,.0f} s.")
    return "\n".join(lines)


def _count(contest: Contest, cohort: str) -> str:
    cells = contest.cells[cohort]
    rows, positives = sum(len(c.label) for c in cells), sum(c.positives for c in cells)
    return f"{len(cells)} divisions, {positives:,} buyers among {rows:,} (means over divisions)"


def _table(contest: Contest, everybody: Sequence[Contestant], cohort: str) -> str:
    rows = [f"| | {' | '.join(HEAD)} | CPU s |", "|---" * (len(HEAD) + 2) + "|"]
    ours = contest.mean(OURS, cohort)
    for one in everybody:
        if one.play is None:
            rows.append(f"| {one.name} | missing: {one.missing} |" + " |" * len(HEAD))
            continue
        if not contest.played(one.name):
            continue
        found = contest.mean(one.name, cohort)
        lift = difference(ours["lift_at_10"], found["lift_at_10"])
        cells = [
            _number(found["auc"], 3),
            _number(found["lift_at_10"], 2),
            "" if one.name == OURS else _number(lift, 2, signed=True),
            _number(found["brier_skill"], 3),
            _number(found["calibration_mae"], 3),
            f"{contest.seconds[one.name]:.0f}",
        ]
        rows.append(f"| {one.name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _share(contest: Contest) -> str:
    """How much of what is possible ours reaches."""
    told = []
    for cohort in COHORTS:
        if contest.cells[cohort]:
            ours, best = (contest.mean(name, cohort)["lift_at_10"] for name in (OURS, TRUTH))
            told.append(f"{cohort} {_number(ratio(ours, best), 2)}")
    return f"Share of the best possible lift@10: {', '.join(told)}."


def _unmodelled(contest: Contest, everybody: Sequence[Contestant]) -> str:
    """Which divisions GoSales left to the base rate, and the lifts in all others."""
    without = contest.constant[OURS]
    told = [f"Not modelled by GoSales, so judged by the base rate: {', '.join(without)}."]
    for cohort in COHORTS:
        cells = contest.cells[cohort]
        rest = [
            place
            for place, cell in enumerate(cells)
            if f"{cell.division} ({cohort})" not in without
        ]
        if 0 < len(rest) < len(cells):
            names = [one.name for one in everybody if contest.played(one.name)]
            lifts = [f"{_short(name)} {_lift(contest, name, cohort, rest):.2f}" for name in names]
            told.append(f"Lift@10 in the other {len(rest)}, {cohort}: {', '.join(lifts)}.")
    return " ".join(told)


def _lift(contest: Contest, name: str, cohort: str, places: Sequence[int]) -> float:
    values = contest.values[name, cohort]
    return float(np.mean([values[place]["lift_at_10"][0] for place in places]))


def _by_division(contest: Contest, everybody: Sequence[Contestant]) -> str:
    """Means over the test cutoffs; the best of all but the truth is set in bold."""
    cohort = COHORTS[0]
    names = [one.name for one in everybody if contest.played(one.name) and one.name != PREVALENCE]
    rows = [
        f"| division | buyers | {' | '.join(_short(name) for name in names)} |",
        "|---" * (len(names) + 2) + "|",
    ]
    cells = contest.cells[cohort]
    for division in sorted({cell.division for cell in cells}):
        own = [place for place, cell in enumerate(cells) if cell.division == division]
        buyers = sum(cells[place].positives for place in own)
        customers = sum(len(cells[place].label) for place in own)
        lifts = {name: _lift(contest, name, cohort, own) for name in names}
        best = max(value for name, value in lifts.items() if name != TRUTH)
        told = [
            f"**{value:.2f}**" if value == best and name != TRUTH else f"{value:.2f}"
            for name, value in lifts.items()
        ]
        rows.append(f"| {division} | {buyers} of {customers:,} | {' | '.join(told)} |")
    return "\n".join(rows)


def _short(name: str) -> str:
    return name.strip("*").split(",")[0].split(" (")[0]


def _number(estimate: Estimate, digits: int, signed: bool = False) -> str:
    low, high = estimate.interval
    sign = "+" if signed else ""
    told = f"{estimate.point:{sign}.{digits}f}"
    if low is None or high is None:
        return told
    return f"{told} [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"
