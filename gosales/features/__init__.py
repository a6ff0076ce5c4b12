"""Phase 2: what was known of each customer at each cutoff, free of anything later."""

from __future__ import annotations

from gosales.features.catalog import Feature
from gosales.features.declared import describe, features_of
from gosales.features.matrices import (
    FeatureReport,
    FeatureSummary,
    build_features,
    ensure_features,
    feature_columns,
)
from gosales.features.reading import read_features

__all__ = [
    "Feature",
    "FeatureReport",
    "FeatureSummary",
    "build_features",
    "describe",
    "ensure_features",
    "feature_columns",
    "features_of",
    "read_features",
]
