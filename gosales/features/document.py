"""Writes docs/features.md from the declarations: ``python -m gosales.features.document``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

from gosales.features import (
    affinity,
    als,
    attributes,
    cross_division,
    diversity,
    expected,
    lifecycle,
    margin,
    returns,
    rfm,
    seasonality,
    shrinkage,
    trajectory,
)
from gosales.features.attributes import Attribute
from gosales.features.catalog import Feature, is_core
from gosales.features.declared import features_of

__all__ = ["document"]

# Family -> its title, and the modules whose docstrings explain it.
FAMILIES: dict[str, tuple[str, tuple[ModuleType, ...]]] = {
    "rfm": ("Recency, frequency, monetary", (rfm,)),
    "lifecycle": ("Lifecycle", (lifecycle, expected)),
    "trajectory": ("Trajectory", (trajectory,)),
    "season": ("Seasonality", (seasonality,)),
    "xdiv": ("Cross-division", (cross_division, shrinkage)),
    "diversity": ("Diversity", (diversity,)),
    "returns": ("Returns", (returns,)),
    "margin": ("Margin", (margin,)),
    "attr": ("Attributes", (attributes,)),
    "affinity": ("Market basket", (affinity,)),
    "als": ("Embeddings", (als,)),
}
# Stand for what a log brings.
DIVISION = {"division": "the division"}
ATTRIBUTES = (Attribute("attribute", ("the value",), (0,)), Attribute("number"))
INTRODUCTION = """\
# Features

Made from the declarations in `gosales/features` by `python -m gosales.features.document`; a test
holds it current.

A name is `<family>__<scope>__<measure>__<window>`. The scope is `all` (every division), `div` (the
target division), or a division's slug, written `division` below. Windows of N months end on the
cutoff and have N months of days; `life` is everything up to it. Money is capped at the quantile
`features.gp_winsor_p`, learnt at the cutoff. A **bold** name is fixed by the contract and always
there; of the others a matrix leaves out constants and repetitions, and `feature_stats` says which.
Windows follow `features.windows_months`, the lag `features.lag_days`; `attribute`, `the_value`
and `number` below stand for what the enrichment brings.
"""


def document() -> str:
    """The page as Markdown."""
    every = features_of(DIVISION, known=ATTRIBUTES)
    parts = [INTRODUCTION]
    for family, (title, modules) in FAMILIES.items():
        text = "\n\n".join(inspect.getdoc(module) or "" for module in modules)
        rows = "\n".join(_rows([f for f in every if f.family == family]))
        parts.append(f"## {title}\n\n{text}\n\n{rows}\n")
    return "\n".join(parts)


def _rows(features: list[Feature]) -> Iterator[str]:
    yield "| name | unit | what it is | when null |"
    yield "| --- | --- | --- | --- |"
    for feature in features:
        name = feature.name.replace("__division__", "__<division>__")
        name = f"**`{name}`**" if is_core(feature.name) else f"`{name}`"
        null_when = feature.null_when or "never"
        yield f"| {name} | {feature.unit} | {feature.description} | {null_when} |"


if __name__ == "__main__":
    sys.stdout.write(document())
