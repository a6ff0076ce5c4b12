"""Everybody on the same splits: who takes part, who is missing, what each one scored."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from .figures import FIGURES, Cell, Estimate, Judge
from .ours import ours
from .outside import dfs, flaml, version_of
from .rates import rates
from .recommender import als
from .simple import regression, rfm
from .split import COHORTS, Split
from .truth import truth

__all__ = ["OURS", "PREVALENCE", "TRUTH", "Contest", "Contestant", "contestants"]

Floats = npt.NDArray[np.float64]
OURS, PREVALENCE, TRUTH = "**GoSales**", "prevalence", "the true probabilities"


@dataclass(frozen=True)
class Contestant:
    """``play`` gives probabilities by division; without it the contestant is missing."""

    name: str
    play: Callable[[Split], dict[str, Floats]] | None
    missing: str = ""


@dataclass
class Contest:
    """Figures by (contestant, cohort), a value a cell; and what they took."""

    judge: Judge
    cells: dict[str, list[Cell]] = field(default_factory=lambda: {name: [] for name in COHORTS})
    values: dict[tuple[str, str], list[dict[str, Floats]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    constant: dict[str, list[str]] = field(default_factory=dict)

    def hold(self, split: Split, everybody: Sequence[Contestant]) -> Iterator[str]:
        """One split: tells who is done."""
        cells = [cell for cell in _cells(split) if cell.counts]
        for cell in cells:
            self.cells[cell.cohort].append(cell)
        for one in everybody:
            if one.play is None:
                continue
            started = _cpu()
            clock = time.perf_counter()
            p = one.play(split)
            if not p and one.name == TRUTH:
                continue
            used = _cpu() - started
            self.seconds[one.name] = self.seconds.get(one.name, 0.0) + used
            self._judge(one.name, p, cells)
            yield f"{one.name}: {time.perf_counter() - clock:.0f} s ({used:.0f} CPU s)"

    def _judge(self, name: str, p: dict[str, Floats], cells: Sequence[Cell]) -> None:
        """Who has no probabilities for a division is judged by the base rate there."""
        for cell in cells:
            found = p.get(cell.division)
            if found is None:
                self.constant.setdefault(name, []).append(f"{cell.division} ({cell.cohort})")
            chosen = np.full(len(cell.label), cell.prior) if found is None else found[cell.rows]
            measured = self.judge.measure(cell, chosen)
            self.values.setdefault((name, cell.cohort), []).append(measured)

    def played(self, name: str) -> bool:
        return name in self.seconds

    def mean(self, name: str, cohort: str) -> dict[str, Estimate]:
        """The figures' means over the cells of a cohort."""
        cells = self.values[name, cohort]
        return {f: Estimate.mean(f, [cell[f] for cell in cells]) for f in FIGURES}


def contestants(python: str, seed: int, seconds: float) -> list[Contestant]:
    """All of them in the order of the table; ``python`` runs those that need their own."""
    return [
        Contestant(OURS, ours),
        Contestant(PREVALENCE, lambda split: {}),
        Contestant("RFM score", rfm),
        Contestant("BG/NBD", rates),
        Contestant("logistic regression, 12 features", regression),
        _library("implicit", "implicit ALS", partial(als, seed=seed)),
        _outside(
            python,
            "featuretools",
            "featuretools DFS + LightGBM",
            partial(dfs, python=python, seed=seed),
        ),
        _outside(
            python,
            "flaml",
            f"FLAML, our features, {seconds:.0f} s a division",
            partial(flaml, python=python, seed=seed, seconds=seconds),
        ),
        Contestant(TRUTH, truth),
    ]


def _library(module: str, name: str, play: Callable[[Split], dict[str, Floats]]) -> Contestant:
    if importlib.util.find_spec(module) is None:
        return Contestant(name, None, f"{module} is not installed")
    return Contestant(f"{name} ({importlib.metadata.version(module)})", play)


def _outside(
    python: str, module: str, name: str, play: Callable[[Split], dict[str, Floats]]
) -> Contestant:
    version = version_of(python, module)
    if version is None:
        return Contestant(name, None, f"{module} cannot be imported by the --peer-python")
    return Contestant(f"{name} ({version})", play)


def _cells(split: Split) -> Iterator[Cell]:
    for cohort in COHORTS:
        for division in split.divisions:
            answers = split.answers[division, split.test]
            rows = answers.cohort(cohort)
            yield Cell(
                division=division,
                cohort=cohort,
                test=str(split.test),
                rows=rows,
                customer=split.scored[rows],
                label=answers.label[rows],
                gp=answers.gp[rows],
                prior=split.prior(division, cohort),
            )


def _cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
