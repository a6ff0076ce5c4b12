"""The classifier of a division: one head for customers who own it and one for those who don't.

Who buys again and who buys for the first time are two questions; where a division has enough
positives for both, each head has its own model, features and calibration. Otherwise one joint
head answers for everybody. The native form is JSON; ``model.pkl`` holds the same JSON, so the
two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gosales.models.bases import Base, base_from_native
from gosales.models.calibrate import Calibrator
from gosales.models.frame import Bools, Floats, Singles
from gosales.models.slices import cohort_rows
from gosales.models.value import ValueModel

__all__ = ["DivisionClassifier", "Head"]

FORMAT = 3


@dataclass(frozen=True)
class Head:
    """A base model on some columns of the design, its calibration and what a purchase is worth.

    ``columns``, and those of ``value``, are positions in the classifier's features.
    """

    cohort: str
    columns: tuple[int, ...]
    base: Base
    calibrator: Calibrator
    value: ValueModel

    def margin(self, x: Singles) -> Floats:
        return self.base.margin(np.ascontiguousarray(x[:, list(self.columns)]))

    def probability(self, x: Singles) -> Floats:
        return self.calibrator.probability(self.margin(x))

    def native(self) -> dict[str, Any]:
        return {
            "cohort": self.cohort,
            "columns": list(self.columns),
            "base": self.base.native(),
            "calibrator": self.calibrator.native(),
            "value": self.value.native(),
        }

    @classmethod
    def from_native(cls, native: dict[str, Any]) -> Head:
        return cls(
            native["cohort"],
            tuple(native["columns"]),
            base_from_native(native["base"]),
            Calibrator.from_native(native["calibrator"]),
            ValueModel.from_native(native["value"]),
        )


class DivisionClassifier:
    """Calibrated probabilities that a customer buys in the division within the window.

    Takes rows of ``feature_names_in_`` in that order (nulls as NaN), as an array or a data
    frame; ``predict_proba`` gives (rows, 2) like any scikit-learn classifier.
    """

    def __init__(
        self, division: str, features: Sequence[str], owned_column: int, heads: Sequence[Head]
    ) -> None:
        self.division = division
        self.feature_names_in_ = np.array(list(features), dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.classes_ = np.array([0, 1])
        self.owned_column = owned_column
        self.heads = tuple(heads)

    def predict_proba(self, x: Any) -> Floats:
        p = self.probability(self._matrix(x))
        return np.column_stack([1.0 - p, p])

    def predict(self, x: Any) -> npt.NDArray[np.int64]:
        return (self.probability(self._matrix(x)) >= 0.5).astype(np.int64)

    def owned(self, x: Singles) -> Bools:
        owned: Bools = x[:, self.owned_column] > 0
        return owned

    def probability(self, x: Singles) -> Floats:
        """(rows, features) -> the probability of a purchase, one a row."""
        return self._by_head(x, lambda head, part: head.probability(part))

    def deal_value(self, x: Singles) -> Floats:
        """What a purchase by each customer would be worth (see ``value``)."""
        return self._by_head(x, lambda head, part: head.value.worth(part))

    def contributions(self, x: Singles) -> Floats:
        """(rows, features): what each feature adds to the row's log-odds, in its head."""
        result = np.zeros(x.shape)
        for head, rows in self._rows(x):
            columns = np.array(head.columns, dtype=np.int64)
            part = np.ascontiguousarray(x[np.ix_(rows, columns)])
            result[np.ix_(rows, columns)] = head.base.contributions(part)
        return result

    def to_json(self) -> str:
        native = {
            "format": FORMAT,
            "division": self.division,
            "features": [str(name) for name in self.feature_names_in_],
            "owned_column": self.owned_column,
            "heads": [head.native() for head in self.heads],
        }
        return json.dumps(native, allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> DivisionClassifier:
        native = json.loads(text)
        heads = [Head.from_native(head) for head in native["heads"]]
        return cls(native["division"], native["features"], native["owned_column"], heads)

    def __reduce__(self) -> tuple[Any, ...]:
        return (DivisionClassifier.from_json, (self.to_json(),))

    def _matrix(self, x: Any) -> Singles:
        if hasattr(x, "columns"):
            x = x[list(self.feature_names_in_)]
        matrix = np.asarray(x, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features_in_:
            raise ValueError(
                f"The model of {self.division} takes {self.n_features_in_} features, "
                f"got an array of shape {matrix.shape}."
            )
        return matrix

    def _rows(self, x: Singles) -> list[tuple[Head, npt.NDArray[np.int64]]]:
        owned = self.owned(x)
        found = [(head, np.flatnonzero(cohort_rows(head.cohort, owned))) for head in self.heads]
        return [(head, rows) for head, rows in found if len(rows)]

    def _by_head(self, x: Singles, what: Any) -> Floats:
        result = np.empty(len(x))
        for head, rows in self._rows(x):
            result[rows] = what(head, x[rows])
        return result
