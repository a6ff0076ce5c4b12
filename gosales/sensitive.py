"""What is never told of a customer: attributes and measures that bear a sensitive word."""

from __future__ import annotations

import re
from collections.abc import Collection

from gosales.workspace import slug

__all__ = ["is_sensitive"]


def is_sensitive(name: str, words: Collection[str]) -> bool:
    """Whether one of the words is among those of an attribute, a measure or a division.

    >>> is_sensitive("customer_age_band", ["Age"]), is_sensitive("average_size", ["age"])
    (True, False)
    """
    parts = re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    text = f"_{'_'.join(part for part in parts if part)}_"
    return any(f"_{slug(word).strip('_')}_" in text for word in words if slug(word).strip("_"))
