"""Typed settings: packaged defaults < file < environment < flags, and where each came from.

A file may give only what differs. An unknown key is refused with its file, line and the
nearest key that exists. ``load_settings`` is the only way in; ``Resolved.origin`` tells for
every leaf which layer set it.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gosales.errors import ConfigError
from gosales.settings import Settings

__all__ = ["Resolved", "Settings", "find_config", "load_settings"]

PACKAGED = Path(__file__).with_name("config.yaml")
ENV_PREFIX = "GOSALES_"
# Environment variables of ours that are not settings.
ENV_OTHER = {"GOSALES_CONFIG", "GOSALES_WORKSPACE"}

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Resolved:
    """The settings in force and the origin of each leaf, as in ``etl.layout -> config.yaml:3``."""

    settings: Settings
    origin: dict[str, str]


def find_config(workspace: Path, explicit: Path | None) -> Path | None:
    """The config file in force: ``--config``, else GOSALES_CONFIG, else the workspace's own.

    A relative name is looked for here, then in the workspace, then beside the package: away
    from a checkout, the specification's ``gosales/config.yaml`` is the packaged defaults.
    """
    named = explicit or (
        Path(os.environ["GOSALES_CONFIG"]) if "GOSALES_CONFIG" in os.environ else None
    )
    if named is not None:
        for candidate in (named, workspace / named, PACKAGED.parents[1] / named):
            if candidate.is_file():
                return candidate
        raise ConfigError(
            f"The config file {named} does not exist.", "Make one with: gosales init DIR"
        )
    for candidate in (workspace / "config.yaml", workspace / "gosales" / "config.yaml"):
        if candidate.is_file():
            return candidate
    return None


def load_settings(
    workspace: Path, config: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Resolved:
    """Resolve the settings for a workspace.

    ``flags`` maps dotted keys (``labels.mode``) to values; None values are not given.
    Raises ConfigError for an unknown key, a wrong value or a file that is no YAML.
    """
    file = find_config(workspace, config)
    layers = [_read_yaml(PACKAGED)]
    if file is not None and file.resolve() != PACKAGED.resolve():
        layers.append(_read_yaml(file))
    layers.append(_read_environment())
    layers.append(_read_flags(flags or {}))

    tree: dict[str, Any] = {}
    origin: dict[Path_, str] = {}
    for layer in layers:
        for path, (value, where) in layer.items():
            _check_known(path, where)
            _put(tree, path, value)
            for old in [key for key in origin if key[: len(path)] == path]:
                del origin[old]
            origin[path] = where
    if missing := [".".join(leaf) for leaf in Settings.leaves() if leaf not in origin]:
        raise ConfigError(
            f"{PACKAGED} holds the defaults and must keep every setting; {len(missing)} are "
            f"missing, the first is '{missing[0]}'.",
            "Restore it, and put what differs into a config.yaml of your workspace.",
        )
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise _explain(error, tree, origin) from None
    return Resolved(settings, {".".join(path): where for path, where in sorted(origin.items())})


Layer = dict[Path_, tuple[Any, str]]


class _Loader(yaml.SafeLoader):
    """A day that does not exist, such as 2024-02-30, is the text that it is; the check of its
    setting tells what is wrong with it."""


def _day_or_text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day_or_text)


def _read_yaml(file: Path) -> Layer:
    """Leaves of a YAML file, each with its ``file:line``."""
    name = "defaults" if file == PACKAGED else str(file)
    try:
        root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=_Loader)
        if isinstance(root, yaml.MappingNode):
            leaves = _leaves(root, ())
            return {path: (value, f"{name}:{line}") for path, value, line in leaves}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{file}{line}: not valid YAML: {problem}.") from None
    if root is None:
        return {}
    raise ConfigError(f"{file}: the settings must be sections with keys, as in etl: ...")


def _leaves(node: yaml.MappingNode, prefix: Path_) -> Iterator[tuple[Path_, Any, int]]:
    for key_node, value_node in node.value:
        path = (*prefix, str(key_node.value))
        line = key_node.start_mark.line + 1
        kind = Settings.field_kind(path)
        if isinstance(value_node, yaml.MappingNode) and value_node.value and kind != "value":
            yield from _leaves(value_node, path)
            continue
        value = _construct(value_node)
        # A known section without keys changes nothing; any other one is told by _check_known.
        if kind != "section" or value not in (None, {}):
            yield path, value, line


def _construct(node: yaml.Node) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _read_environment() -> Layer:
    """``GOSALES_ETL__LAYOUT=long``: values are read as YAML scalars or lists."""
    layer: Layer = {}
    for name, text in sorted(os.environ.items()):
        if not name.startswith(ENV_PREFIX) or name in ENV_OTHER:
            continue
        path = tuple(part.lower() for part in name.removeprefix(ENV_PREFIX).split("__"))
        layer[_known_spelling(path)] = (_scalar(text), f"environment {name}")
    return layer


def _scalar(text: str) -> Any:
    """A value as YAML reads it; text that is no YAML, such as ``|``, is itself."""
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text
    return text if value == "" and text.strip() in ("|", ">") else value


def _read_flags(flags: Mapping[str, Any]) -> Layer:
    return {
        tuple(key.split(".")): (value, "flag") for key, value in flags.items() if value is not None
    }


def _known_spelling(path: Path_) -> Path_:
    """Environment names are case-blind; give the key its own spelling (``lr_grid.C``)."""
    for known in Settings.leaves():
        if tuple(part.lower() for part in known) == path:
            return known
    return path


def _check_known(path: Path_, where: str) -> None:
    known = set(Settings.leaves())
    if path in known:
        return
    names = sorted(".".join(key) for key in known)
    dotted = ".".join(path)
    if Settings.field_kind(path) == "section":
        key = next(name for name in names if name.startswith(f"{dotted}."))
        raise ConfigError(
            f"{where}: '{dotted}' is a section and takes keys, not a value.",
            f"Set a key in it, such as '{key}'. See: gosales config show",
        )
    near = difflib.get_close_matches(dotted, names, n=1, cutoff=0.5) or difflib.get_close_matches(
        path[-1], [name.rsplit(".", 1)[-1] for name in names], n=1, cutoff=0.6
    )
    hint = f"The nearest valid key is '{near[0]}'." if near else "See: gosales config show"
    raise ConfigError(f"{where}: unknown setting '{dotted}'.", hint)


def _put(tree: dict[str, Any], path: Path_, value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _explain(error: ValidationError, tree: Any, origin: Mapping[Path_, str]) -> ConfigError:
    """All problems at once, each with the place that set the value."""
    found: dict[tuple[Path_, str], list[str]] = {}
    for path, problem in _relevant(error, tree):
        message = problem["msg"].removeprefix("Value error, ")
        found.setdefault((path, _shown(problem.get("input"))), []).append(message)
    lines = []
    for (path, shown), messages in found.items():
        where = next(
            (origin[path[:n]] for n in range(len(path), 0, -1) if path[:n] in origin), "settings"
        )
        lines.append(f"{where}: '{'.'.join(path)}' = {shown}: {', or: '.join(messages)}.")
    return ConfigError("\n".join(lines), "See the defaults and their meaning: gosales config show")


def _relevant(error: ValidationError, tree: Any) -> list[tuple[Path_, Any]]:
    """Each problem with the path of its value, as the settings are written.

    Of a value that may be of several kinds, each kind has its own problems. A mapping or a list
    was meant for the kind that looks into it; what the others say of it is left out.
    """
    problems = []
    for problem in error.errors():
        *before, last = problem["loc"]
        path, inside = [], tree
        for part in before:
            # The others are names of kinds.
            if (isinstance(inside, dict) and part in inside) or isinstance(part, int):
                path.append(str(part))
                inside = inside[part]
        if isinstance(last, int) or problem["type"] == "missing" or last in _keys(inside):
            path.append(str(last))
        problems.append((tuple(path), problem))
    looked_into = {path[:n] for path, _ in problems for n in range(len(path))}
    looked_into |= {path for path, problem in problems if problem["type"] == "value_error"}
    return [
        (path, problem)
        for path, problem in problems
        if path not in looked_into
        or problem["type"] == "value_error"
        or not isinstance(problem["input"], dict | list)
    ]


def _keys(value: Any) -> Container[Any]:
    return value if isinstance(value, dict) else ()


def _shown(given: Any) -> str:
    """A wrong value as its owner wrote it; mappings and URLs (passwords) are only named."""
    if isinstance(given, list):
        return f"[{', '.join(_shown(item) for item in given)}]"
    if isinstance(given, dict):
        return "a mapping"
    text = str(given) if isinstance(given, dt.date) else repr(given)
    return "a URL" if "://" in text else text
