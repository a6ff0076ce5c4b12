"""What may be said against a log or a table as a whole."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """A violation of the log or of a table as a whole (``source_file`` where it is one file's)."""

    rule: str
    column: str
    value: str
    message: str
    severity: str = "warning"
    source_file: str = ""
