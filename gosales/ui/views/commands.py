"""Which command makes which artifact, as pages and errors say it."""

from __future__ import annotations

__all__ = ["FEATURES", "MATRIX", "PROFILE", "SCORE", "STAR", "TRAIN", "WHITESPACE", "command_of"]

STAR, FEATURES, TRAIN = "gosales star", "gosales features", "gosales train"
SCORE, WHITESPACE = "gosales score", "gosales whitespace"
MATRIX, PROFILE = "gosales matrix", "gosales profile"
OTHERS = {"checks": STAR}


def command_of(stage: str) -> str:
    """The command of a stage of the registry."""
    return OTHERS.get(stage, f"gosales {stage}")
