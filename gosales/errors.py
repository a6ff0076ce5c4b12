"""What can go wrong for a user, each with its exit code and its remedy.

A stage raises one of these; the command line prints the message and the remedy
and leaves with the code. Anything else that escapes is a defect of ours (code 1).
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "ContractBreach",
    "GoSalesError",
    "IntegrityError",
    "MissingArtifact",
    "MissingExtraError",
    "NothingToDo",
    "StaleArtifact",
    "UsageError",
    "WorkspaceLocked",
]


class GoSalesError(Exception):
    """A failure with an exit code, a message and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(GoSalesError, ValueError):
    """A command was called with words or values that it cannot take."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is unknown or has a value that it cannot have."""


class MissingExtraError(UsageError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the extra '{extra}', which is not installed.",
            f'Install it with: python -m pip install "gosales[{extra}]"',
        )
        self.extra = extra


class ContractBreach(GoSalesError):
    """The input breaks the data contract; the last good star stays as it was."""

    exit_code = 3


class MissingArtifact(GoSalesError, FileNotFoundError):
    """An artifact that this step reads does not exist yet."""

    exit_code = 4


class StaleArtifact(GoSalesError):
    """An artifact was made from inputs that have changed since."""

    exit_code = 4


class NothingToDo(GoSalesError):
    """No division has enough data, or no model exists."""

    exit_code = 5


class IntegrityError(GoSalesError):
    """An artifact's content is not what its manifest says."""

    exit_code = 6


class WorkspaceLocked(GoSalesError):
    """Another run holds the workspace."""

    exit_code = 7
