"""What a user gets wrong when labels, features and checks are asked for: one clear error each."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from gosales.workspace import Workspace
from tests.conftest import Gosales, OpenRun, write_star
from tests.features.logs import random_log

COMMANDS = [("labels",), ("features",), ("validate", "leakage"), ("validate", "forward")]


def asked(gosales: Gosales, place: Workspace, command: tuple[str, ...], *flags: object) -> str:
    """What is said on standard error, after the exit code."""
    called = gosales(*command, "--workspace", place.root, *flags)
    assert "Traceback" not in called.err
    assert called.err.count("error:") == 1
    assert not list(place.outputs.glob("[lf][ae]*_*.parquet"))
    return f"{called.code} {' '.join(called.err.split())}"


@pytest.fixture
def made(run_in: OpenRun, workspace: Workspace) -> Workspace:
    with run_in() as run:
        write_star(run, random_log(31))
    return workspace


@pytest.mark.parametrize("command", COMMANDS)
def test_each_mistake_has_its_message_and_exit_code(
    gosales: Gosales, made: Workspace, command: tuple[str, ...]
) -> None:
    day = ("--cutoff", "2023-06-30")
    unknown = asked(gosales, made, command, *day, "--division", "Solidwork")
    assert unknown.startswith("2 error: Unknown division 'Solidwork'.")
    assert "Did you mean 'Solidworks'?" in unknown
    nobody = asked(gosales, made, command, *day, "--division", " , ")
    assert nobody.startswith("2 error: No division given.")
    early = asked(gosales, made, command, "--cutoff", "2001-01-31")
    assert early.startswith("2 error: The cutoff 2001-01-31 is before the first order (2022-")
    for word in ("30.06.2023", "2023-02-30", "soon"):
        malformed = asked(gosales, made, command, "--cutoff", word)
        assert malformed.startswith(f"2 error: '{word}' is not a cutoff date.")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_star_or_with_one_of_another_version_the_command_that_makes_it_is_named(
    gosales: Gosales, run_in: OpenRun, workspace: Workspace, command: tuple[str, ...]
) -> None:
    missing = asked(gosales, workspace, command, "--cutoff", "2023-06-30")
    assert missing.startswith("4 error: gosales/data/curated/star.json does not exist.")
    assert "gosales star" in missing
    with run_in() as run:
        write_star(run, random_log(31))
        about = json.loads(workspace.star_facts.read_bytes()) | {"schema_version": 99}
        with run.commit("star") as change:
            change.json(about, workspace.star_facts)
    other = asked(gosales, workspace, command, "--cutoff", "2023-06-30")
    assert other.startswith("4 error: The star has schema version 99")
    assert "gosales star --rebuild" in other


def test_a_toggle_whose_extra_is_missing_names_the_extra(
    gosales: Gosales, made: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "als.yaml"
    config.write_text("features: {als: true}\n")
    plain = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "implicit" else plain(name)
    )
    said = asked(gosales, made, ("features",), "--cutoff", "2023-06-30", "--config", config)
    assert said.startswith("2 error: features.als: true needs the extra 'als'")
    assert 'pip install "gosales[als]"' in said
