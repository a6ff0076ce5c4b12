"""Makes workspaces: empty ones with a commented config, and ones with a sample log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from gosales.config import PACKAGED, load_settings
from gosales.samples import SampleFiles
from gosales.screen import plain
from gosales.workspace import Workspace

__all__ = ["init_workspace", "sample_completejourney", "sample_simulated", "show_settings"]

HEADER = (
    "# The settings of this workspace: only what differs from the defaults.\n"
    "# All settings and their meaning: gosales config show\n"
)


def init_workspace(folder: Path) -> list[str]:
    """Folders and a commented config.yaml; what is there already stays as it is."""
    place = Workspace(folder)
    for path in (place.data / "raw", place.data / "lookup"):
        path.mkdir(parents=True, exist_ok=True)
    config = place.root / "config.yaml"
    said = [f"{place.root} is a workspace."]
    if config.exists():
        said.append("Its config.yaml was there and stays as it is.")
    else:
        config.write_text(PACKAGED.read_text(encoding="utf-8"), encoding="utf-8")
        said.append("Its config.yaml holds every setting with its default.")
    said.append("Put your sales log into gosales/data/raw and run: gosales run")
    return said


def sample_simulated(out: Path, **options: Any) -> SampleFiles:
    """A workspace with a simulated log; ``options`` as in SimulationSpec."""
    from gosales.samples import sales_log

    return _with_config(out, sales_log.write_workspace(sales_log.SimulationSpec(**options), out))


def sample_completejourney(out: Path) -> SampleFiles:
    """A workspace with the public grocery log; raises MissingExtraError without 'samples'."""
    from gosales.samples import completejourney

    return _with_config(out, completejourney.write_workspace(out))


def _with_config(out: Path, made: SampleFiles) -> SampleFiles:
    """The sample's settings, where the workspace has none of its own."""
    file = out / "config.yaml"
    if not file.exists():
        text = yaml.safe_dump(plain(made.config), sort_keys=False) if made.config else ""
        file.write_text(HEADER + text, encoding="utf-8")
    return made


def show_settings(workspace: Path, config: Path | None, as_json: bool) -> str:
    """Every setting, its value and its origin."""
    resolved = load_settings(workspace.resolve(), config)
    values = resolved.settings.model_dump(mode="json")
    if as_json:
        return json.dumps({"settings": values, "origin": resolved.origin}, indent=2)
    lines = []
    for key, where in resolved.origin.items():
        value: Any = values
        for part in key.split("."):
            value = value[part]
        lines.append(f"{key} = {json.dumps(value)}  # {where}")
    return "\n".join(lines)
