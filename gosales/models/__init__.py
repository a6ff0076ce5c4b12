"""Phase 3: who will buy, learnt from earlier windows and judged on later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gosales.models.foretold import CELLS
from gosales.models.frame import Design, Floats, Ints, Singles, load_design
from gosales.models.persist import LoadedModel, find_models, load_model, load_pickle

if TYPE_CHECKING:
    from gosales.models.train import DivisionSummary, TrainReport, train

__all__ = [
    "CELLS",
    "Design",
    "DivisionSummary",
    "Floats",
    "Ints",
    "LoadedModel",
    "Singles",
    "TrainReport",
    "find_models",
    "load_design",
    "load_model",
    "load_pickle",
    "train",
]


def __getattr__(name: str) -> Any:
    """``train`` is found on first use, so that scoring and ``-m gosales.models.train`` need not
    load it twice.
    """
    if name in ("train", "TrainReport", "DivisionSummary"):
        import importlib

        # import_module also sets the attribute ``train`` to the module: it is put right here.
        module = importlib.import_module("gosales.models.train")
        for public in ("train", "TrainReport", "DivisionSummary"):
            globals()[public] = getattr(module, public)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
