"""Where each artifact lives: the one place that knows file names."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from pathlib import Path

__all__ = ["Workspace", "slug"]


def slug(division: str) -> str:
    """A division's name in file names: lower case, runs of other characters as one ``_``.

    >>> slug("Success Plan")
    'success_plan'

    Of a name in another script hardly anything is left: six digits of its hash tell it apart.

    >>> slug("Краски"), slug("Zubehör")
    ('_c2ee46', 'zubeh_r')
    """
    lower = division.lower()
    plain = re.sub(r"[^a-z0-9]+", "_", lower)
    if all("LATIN" in unicodedata.name(letter, "") for letter in lower if letter.isalpha()):
        return plain
    return f"{plain.rstrip('_')}_{hashlib.sha256(lower.encode()).hexdigest()[:6]}"


class Workspace:
    """The folder that holds one company's data, models and results."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.data = self.root / "gosales" / "data"
        self.curated = self.data / "curated"
        self.outputs = self.root / "gosales" / "outputs"
        self.models = self.root / "gosales" / "models"

    # Phase 0
    @property
    def staging(self) -> Path:
        return self.data / "staging" / "sales_log.parquet"

    @property
    def fact(self) -> Path:
        return self.curated / "fact" / "fact_transactions.parquet"

    def dim(self, name: str) -> Path:
        return self.curated / "dim" / f"dim_{name}.parquet"

    @property
    def star_facts(self) -> Path:
        return self.curated / "star.json"

    def quarantine(self, table: str) -> Path:
        return self.curated / "quarantine" / f"{table}.parquet"

    @property
    def violations(self) -> Path:
        return self.outputs / "contracts" / "violations.csv"

    def qa(self, name: str) -> Path:
        return self.outputs / "qa" / name

    # Phases 1 and 2
    def labels(self, division: str, cutoff: dt.date) -> Path:
        return self.outputs / f"labels_{slug(division)}_{cutoff}.parquet"

    def features(self, division: str, cutoff: dt.date) -> Path:
        return self.outputs / f"features_{slug(division)}_{cutoff}.parquet"

    def for_cutoff(self, stem: str, division: str, cutoff: dt.date, ending: str) -> Path:
        """As in ``feature_catalog_solidworks_2024-06-30.csv``."""
        return self.outputs / f"{stem}_{slug(division)}_{cutoff}.{ending}"

    def for_division(self, stem: str, division: str, ending: str) -> Path:
        """As in ``metrics_solidworks.json``."""
        return self.outputs / f"{stem}_{slug(division)}.{ending}"

    # Phase 3 and on
    def model(self, division: str) -> Path:
        return self.models / f"{slug(division)}_model"

    def output(self, name: str) -> Path:
        return self.outputs / name

    def run(self, run_id: str) -> Path:
        return self.outputs / "runs" / run_id

    # Housekeeping
    @property
    def registry(self) -> Path:
        return self.outputs / "artifacts.json"

    @property
    def journal(self) -> Path:
        return self.outputs / ".commit.json"

    @property
    def lock(self) -> Path:
        return self.outputs / ".lock"

    @property
    def scratch(self) -> Path:
        return self.data / ".scratch"

    def resolve(self, path: str | Path) -> Path:
        """A path of the configuration, relative to the workspace."""
        return self.root / path

    def relative(self, path: Path) -> str:
        """A path as the registry and messages name it."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()
