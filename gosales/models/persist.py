"""A model on disk: the pickle for its users, JSON for ourselves, and the seals of both.

Scoring never unpickles: it reads ``model.json``. Either file is opened only when its sha256
is the one that ``metadata.json`` holds, and the run's registry vouches for all of them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gosales.artifacts import require
from gosales.errors import IntegrityError, StaleArtifact
from gosales.models.classifier import DivisionClassifier
from gosales.run import Run

__all__ = [
    "LoadedModel",
    "find_models",
    "json_bytes",
    "load_model",
    "load_pickle",
    "model_files",
    "sha256",
]

PICKLE, NATIVE, FEATURES, METADATA = "model.pkl", "model.json", "feature_list.json", "metadata.json"


@dataclass(frozen=True)
class LoadedModel:
    """A division's classifier, the types its features must have, and its metadata.

    ``stale`` tells which input has changed since training; empty when none has.
    """

    division: str
    classifier: DivisionClassifier
    types: dict[str, str]
    metadata: dict[str, Any]
    stale: str

    @property
    def window_months(self) -> int:
        return int(self.metadata["window_months"])

    @property
    def cutoffs(self) -> list[dt.date]:
        return [dt.date.fromisoformat(day) for day in self.metadata["cutoffs"]]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model_files(
    folder: Path, classifier: DivisionClassifier, metadata: dict[str, Any]
) -> dict[Path, bytes]:
    """The files of a model, sealed."""
    native = classifier.to_json().encode() + b"\n"
    pickled = pickle.dumps(classifier, protocol=4)
    features = [str(name) for name in classifier.feature_names_in_]
    sealed = metadata | {"sha256": {PICKLE: sha256(pickled), NATIVE: sha256(native)}}
    return {
        folder / PICKLE: pickled,
        folder / NATIVE: native,
        folder / FEATURES: json_bytes(features),
        folder / METADATA: json_bytes(sealed),
    }


def find_models(run: Run) -> list[Path]:
    """Folders of the workspace that look like a model, sorted by name."""
    if not run.workspace.models.is_dir():
        return []
    return sorted(
        folder
        for folder in run.workspace.models.glob("*_model")
        if (folder / METADATA).is_file() or (folder / NATIVE).is_file()
    )


def load_model(run: Run, folder: Path) -> LoadedModel:
    """Read a model without unpickling anything.

    Raises MissingArtifact for a folder that no run of this workspace wrote, IntegrityError
    for a file (the pickle too) that is not what was written.
    """
    stale = ""
    for name in (PICKLE, NATIVE, FEATURES, METADATA):
        try:
            require(run.workspace, folder / name, "gosales train")
        except StaleArtifact as error:
            stale = error.message
    metadata = json.loads((folder / METADATA).read_bytes())
    for name in (PICKLE, NATIVE):
        _sealed(run, folder / name, metadata)
    classifier = DivisionClassifier.from_json((folder / NATIVE).read_text(encoding="utf-8"))
    names = json.loads((folder / FEATURES).read_bytes())
    if names != list(classifier.feature_names_in_):
        raise IntegrityError(
            f"{run.workspace.relative(folder / FEATURES)} lists other features than the model.",
            "Make it again with: gosales train",
        )
    return LoadedModel(classifier.division, classifier, metadata["feature_types"], metadata, stale)


def load_pickle(run: Run, folder: Path) -> DivisionClassifier:
    """``model.pkl``, unpickled only after its seal is checked."""
    metadata = json.loads((folder / METADATA).read_bytes())
    classifier = pickle.loads(_sealed(run, folder / PICKLE, metadata))
    if not isinstance(classifier, DivisionClassifier):
        raise IntegrityError(f"{run.workspace.relative(folder / PICKLE)} holds no GoSales model.")
    return classifier


def _sealed(run: Run, path: Path, metadata: dict[str, Any]) -> bytes:
    content = path.read_bytes()
    if metadata.get("sha256", {}).get(path.name) != sha256(content):
        raise IntegrityError(
            f"{run.workspace.relative(path)} is not the file that was trained: its sha256 differs "
            f"from {METADATA}.",
            "Make it again with: gosales train",
        )
    return content


def json_bytes(content: Any) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()
