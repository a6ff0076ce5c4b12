"""The reasons of a pair in one sentence of at most 150 characters."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from gosales.scoring.phrases import MAX_LENGTH

__all__ = ["sentences"]


def sentences(reasons: Sequence[pa.ChunkedArray]) -> pa.Array:
    """Columns of reasons, strongest first and empty where there is none -> one text a row."""
    columns = [column.to_pylist() for column in reasons]
    return pa.array([_sentence(row) for row in zip(*columns, strict=True)], pa.string())


def _sentence(reasons: tuple[str | None, ...]) -> str:
    """The first reason, and of the others those that still fit."""
    line = reasons[0] or ""
    for reason in reasons[1:]:
        if reason and len(line) + len(reason) + 2 <= MAX_LENGTH:
            # Every phrase begins with our own words, so its capital is no name's.
            line = f"{line}; {reason[:1].lower()}{reason[1:]}"
    return line
