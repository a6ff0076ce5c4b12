"""What can be fitted: the candidates of the configured grids.

``pooling`` says whose buyers a candidate learns from. Logistic regression: ``pooled`` (all
divisions, a level each), ``partial`` (the division's own coefficients, shrunk towards the
pooled ones), ``own``, or ``mean`` (of the three). LightGBM: ``pooled`` or ``own``. A blend is
the mean of one of each. The rule of recency and frequency is always a candidate: what does
not beat it does not ship.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gosales.settings import ModelingSettings

__all__ = ["RULE", "Candidate", "grid"]


@dataclass(frozen=True)
class Candidate:
    """A kind of model with its parameters, as ``logreg`` with C = 0.003; a blend has parts."""

    kind: str
    pooling: str = "own"
    params: tuple[tuple[str, float], ...] = ()
    parts: tuple[Candidate, ...] = ()

    @property
    def name(self) -> str:
        if self.parts:
            return " + ".join(part.name for part in self.parts)
        if self.kind == "rule":
            return "rule"
        words = ",".join(f"{key}={value:g}" for key, value in self.params)
        return f"{self.kind}({self.pooling},{words})"

    def lent(self) -> Candidate:
        """The same from other divisions' buyers alone."""
        return replace(
            self,
            pooling=self.pooling if self.kind == "rule" else "pooled",
            parts=tuple(part.lent() for part in self.parts),
        )

    def firmer(self) -> Candidate:
        """The same, regularised more: a tenth of C; half the leaves, of twice the rows."""
        params = {
            "C": lambda value: value / 10,
            "num_leaves": lambda value: max(2, value // 2),
            "min_child_samples": lambda value: value * 2,
        }
        firm = tuple((key, params.get(key, float)(value)) for key, value in self.params)
        return replace(self, params=firm, parts=tuple(part.firmer() for part in self.parts))


RULE = Candidate("rule")


def grid(kinds: Sequence[str], settings: ModelingSettings, lends: bool) -> list[Candidate]:
    """The rule, every combination of each kind's axes in their order, then the blends.

    Without another division to borrow from, every candidate is the division's own.
    """
    found = {kind: _axes(kind, settings, lends) for kind in kinds}
    single = [candidate for kind in kinds for candidate in found[kind]]
    blends = []
    if {"logreg", "lgbm"} <= set(kinds):
        first = next((c for c in found["logreg"] if c.pooling == "mean"), found["logreg"][0])
        blends = [Candidate("blend", "mean", parts=(first, tree)) for tree in found["lgbm"]]
    return list(dict.fromkeys([RULE, *single, *blends]))


def _axes(kind: str, settings: ModelingSettings, lends: bool) -> list[Candidate]:
    axes = (settings.lr_grid if kind == "logreg" else settings.lgbm_grid).model_dump()
    poolings = axes.pop("pooling") if lends else [axes.pop("pooling") and "own"]
    return [
        # A switch that is off is not worth a word in the name.
        Candidate(
            kind, pooling, tuple(p for p in zip(axes, values, strict=True) if p[1] is not False)
        )
        for values in itertools.product(*axes.values())
        for pooling in poolings
    ]
