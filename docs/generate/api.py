"""The Python API: what the stage packages export, with their signatures and docstrings."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from types import ModuleType
from typing import Any

__all__ = ["MODULES", "api"]

MODULES = (
    "gosales.config",
    "gosales.workspace",
    "gosales.run",
    "gosales.artifacts",
    "gosales.months",
    "gosales.etl.build_star",
    "gosales.etl.star",
    "gosales.labels",
    "gosales.features",
    "gosales.models",
    "gosales.scoring",
    "gosales.whitespace",
    "gosales.whitespace.matrix",
    "gosales.whitespace.profile",
    "gosales.whitespace.outcome",
    "gosales.handover",
    "gosales.validation",
    "gosales.report",
    "gosales.ui",
    "gosales.samples",
    "gosales.errors",
)


def api() -> str:
    """Markdown: a chapter a module, a section an export."""
    return "\n".join(_module(importlib.import_module(name)) for name in MODULES)


def _module(module: ModuleType) -> str:
    parts = [f"## {module.__name__}\n\n{_prose(inspect.getdoc(module) or '')}\n"]
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            parts.append(_thing(name, thing))
    return "\n".join(parts)


def _thing(name: str, thing: Any) -> str:
    text = [f"### {name} {{ #{thing.__module__}.{name} }}\n"]
    shown = _signature(name, thing)
    if shown:
        text.append(f"```python\n{shown}\n```\n")
    doc = _own_doc(thing)
    if doc:
        text.append(f"{_prose(doc)}\n")
    if inspect.isclass(thing):
        text += [
            f"- `{_signature(other, method)}`: {_prose(_own_doc(method)).splitlines()[0]}"
            for other, method in vars(thing).items()
            if inspect.isfunction(method) and not other.startswith("_") and _own_doc(method)
        ]
        text.append("")
    return "\n".join(text)


def _own_doc(thing: Any) -> str:
    """Its docstring; not the one that ``dataclass`` makes, nor an inherited one."""
    doc = inspect.cleandoc(thing.__doc__ or "")
    made = inspect.isclass(thing) and doc.startswith(f"{thing.__name__}(")
    return "" if made else doc


def _signature(name: str, thing: Any) -> str:
    if inspect.isclass(thing) and dataclasses.is_dataclass(thing):
        fields = "".join(f"    {field.name}: {field.type}\n" for field in dataclasses.fields(thing))
        return f"class {name}:\n{fields}".rstrip()
    if inspect.isclass(thing):
        return ""
    generic = inspect.signature(thing)
    parameters = [
        one.replace(default=inspect.Parameter.empty) if callable(one.default) else one
        for one in generic.parameters.values()
        if one.name != "self"
    ]
    text = str(generic.replace(parameters=parameters)).replace("'", "")
    return f"{name}{text}"


def _prose(doc: str) -> str:
    """A docstring as Markdown: double backticks become single ones, examples a block."""
    text = re.sub(r"``([^`]+)``", r"`\1`", doc)
    lines, example = [], False
    for line in text.splitlines():
        starts = line.startswith(">>>")
        if starts and not example:
            lines += ["", "```python"]
            example = True
        elif example and not line.strip():
            lines.append("```")
            example = False
        lines.append(line.removesuffix("  # doctest: +SKIP"))
    return "\n".join([*lines, "```"] if example else lines)
