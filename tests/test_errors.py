"""Errors carry their exit code, their remedy and the built-in kind they refine."""

from __future__ import annotations

import pytest

from gosales import errors
from gosales.errors import GoSalesError, MissingExtraError

CODES = {
    "GoSalesError": 1,
    "UsageError": 2,
    "ConfigError": 2,
    "MissingExtraError": 2,
    "ContractBreach": 3,
    "MissingArtifact": 4,
    "StaleArtifact": 4,
    "NothingToDo": 5,
    "IntegrityError": 6,
    "WorkspaceLocked": 7,
}


def test_every_error_has_the_exit_code_of_the_contract() -> None:
    assert {name: getattr(errors, name).exit_code for name in errors.__all__} == CODES


def test_an_error_shows_its_message_then_its_remedy() -> None:
    assert str(GoSalesError("It broke.", "Mend it.")) == "It broke.\nMend it."
    assert str(GoSalesError("It broke.")) == "It broke."


@pytest.mark.parametrize(
    ("name", "builtin"), [("UsageError", ValueError), ("MissingArtifact", FileNotFoundError)]
)
def test_an_error_is_also_the_builtin_that_it_refines(name: str, builtin: type[Exception]) -> None:
    error = getattr(errors, name)("It broke.", "Mend it.")
    assert isinstance(error, builtin) and isinstance(error, GoSalesError)
    assert str(error) == "It broke.\nMend it."


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert 'python -m pip install "gosales[spark]"' in str(MissingExtraError("spark", "Spark"))
