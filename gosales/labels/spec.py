"""What a label is: window, population, threshold and the products that do not count."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import asdict, dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Literal

from gosales.errors import ConfigError
from gosales.run import Run

__all__ = ["LABELS_VERSION", "LabelSpec", "read_denylist"]

# Raised whenever the same star and settings would give other labels.
LABELS_VERSION = 1
STEP = Decimal("0.0001")


@dataclass(frozen=True)
class LabelSpec:
    """How labels are made.

    ``window_months``: length of the window after the cutoff. ``mode``: ``expansion`` (customers
    with an order at or before the cutoff) or ``all`` (every customer of the star).
    ``gp_min_threshold``: net gross profit that must be exceeded, in the log's currency.
    ``denylist``: SKUs whose lines make no label.
    """

    window_months: int = 6
    mode: Literal["expansion", "all"] = "expansion"
    gp_min_threshold: float = 0.0
    denylist: frozenset[str] = frozenset()

    @classmethod
    def from_settings(cls, run: Run) -> LabelSpec:
        """The spec of a run's ``labels`` settings; reads the denylist from the workspace."""
        settings = run.settings.labels
        name = settings.denylist_skus_csv
        return cls(
            window_months=settings.window_months,
            mode=settings.mode,
            gp_min_threshold=settings.gp_min_threshold,
            denylist=read_denylist(run.workspace.resolve(name)) if name else frozenset(),
        )

    @property
    def threshold(self) -> Decimal:
        """The threshold on the grid of money: a profit exceeds one exactly when the other.

        >>> LabelSpec(gp_min_threshold=0.00005).threshold
        Decimal('0.0000')
        """
        return Decimal(str(self.gp_min_threshold)).quantize(STEP, rounding=ROUND_FLOOR)

    @property
    def key(self) -> str:
        """A fingerprint: artifacts with the same key and the same star are the same."""
        content = asdict(self) | {"denylist": sorted(self.denylist), "version": LABELS_VERSION}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_denylist(path: Path) -> frozenset[str]:
    """The SKUs in the column ``product_sku`` of a CSV.

    Raises ConfigError when the file or its column is not there.
    """
    remedy = "labels.denylist_skus_csv names a CSV with the column product_sku, or is empty."
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.reader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"The denylist {path} cannot be read: {why}.", remedy) from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "product_sku" not in header:
        raise ConfigError(f"The denylist {path} has no column product_sku.", remedy)
    place = header.index("product_sku")
    skus = (row[place].strip() for row in rows[1:] if len(row) > place)
    return frozenset(sku for sku in skus if sku)
