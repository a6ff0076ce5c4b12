"""The settings as types. Defaults stand in config.yaml only, so nothing is said twice."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from gosales.months import LAST

__all__ = [
    "DatabaseSettings",
    "DatabaseSource",
    "EligibilitySettings",
    "EnrichmentSettings",
    "EtlSettings",
    "FeatureSettings",
    "HandoverSettings",
    "LabelSettings",
    "ListSource",
    "ModelingSettings",
    "RunSettings",
    "ScoringSettings",
    "Settings",
    "UiSettings",
    "WhitespaceSettings",
    "WhitespaceWeights",
]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValueError("not a time zone; use a name such as UTC or Europe/Berlin") from None
    return name


Fraction = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Cutoff = Annotated[dt.date, Field(le=LAST)]


class RunSettings(Section):
    cutoff_date: Cutoff | Literal["auto"]
    seed: Annotated[int, Field(ge=0)]


class DatabaseSettings(Section):
    engine: Literal["duckdb", "pyspark"]
    threads: Annotated[int, Field(ge=0)]
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B)$")]
    spark: dict[str, str | int | float | bool]


class EnrichmentSettings(Section):
    sources: list[str]
    fuzzy_threshold: Percent
    fuzzy_margin: Percent
    fuzzy_block_size: Annotated[int, Field(ge=1)]


class DatabaseSource(Section):
    """A table or a query of a database; credentials come from the environment only."""

    url: str
    table: str | None = None
    query: str | None = None


class EtlSettings(Section):
    sources: list[str | DatabaseSource]
    layout: Literal["auto", "long", "wide"]
    source_columns: dict[str, str]
    delimiter: str
    encoding: str
    decimal: Literal[".", ","]
    date_order: Literal["auto", "mdy", "dmy"]
    coerce_dates_tz: Annotated[str, AfterValidator(_zone)]
    date_bounds: tuple[dt.date, dt.date]
    allow_unknown_columns: bool | Literal["auto"]
    unique_keys: list[str]
    max_violation_rate: Fraction
    max_violation_rows: Annotated[int, Field(ge=0)]
    fail_on_contract_breach: bool
    sku_map_overrides_csv: str
    enrichment: EnrichmentSettings

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        value = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if value != "auto" and len(value) != 1:
            raise ValueError("must be auto or one character")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            b"".decode("ascii" if value == "auto" else value)
        except LookupError:
            raise ValueError("not an encoding that Python knows") from None
        return value

    @field_validator("date_bounds")
    @classmethod
    def _ordered(cls, value: tuple[dt.date, dt.date]) -> tuple[dt.date, dt.date]:
        if value[0] > value[1]:
            raise ValueError("the first date must not be after the second")
        return value


class LabelSettings(Section):
    window_months: Annotated[int, Field(ge=1, le=60)]
    mode: Literal["expansion", "all"]
    gp_min_threshold: Annotated[float, Field(ge=0, lt=1e13, allow_inf_nan=False)]
    denylist_skus_csv: str


class FeatureSettings(Section):
    windows_months: Annotated[list[Annotated[int, Field(ge=1, le=120)]], Field(min_length=1)]
    lag_days: Annotated[int, Field(ge=1, le=730)]
    attribute_top_n: Annotated[int, Field(ge=0, le=20)]
    gp_winsor_p: Annotated[float, Field(gt=0.5, le=1)]
    missing_flags: bool
    affinity: bool
    affinity_lag_days: Annotated[int, Field(ge=0, le=720)]
    affinity_min_support: Annotated[int, Field(ge=1)]
    als: bool

    @field_validator("windows_months")
    @classmethod
    def _sorted_with_12(cls, value: list[int]) -> list[int]:
        if 12 not in value:
            raise ValueError(
                "12 must be among the windows (shares and diversity are over 12 months)"
            )
        return sorted(set(value))


class LrGrid(Section):
    C: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
    l1_ratio: Annotated[list[Fraction], Field(min_length=1)]
    pooling: Annotated[list[Literal["pooled", "partial", "own", "mean"]], Field(min_length=1)]


class LgbmGrid(Section):
    num_leaves: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    learning_rate: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)]
    min_child_samples: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    feature_fraction: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)]
    pooling: Annotated[list[Literal["pooled", "own"]], Field(min_length=1)]
    monotone: Annotated[list[bool], Field(min_length=1)]


class ModelingSettings(Section):
    cutoffs: list[Cutoff] | Literal["monthly", "quarterly"]
    max_cutoffs: Annotated[int, Field(ge=1)]
    embargo_days: Annotated[int, Field(ge=0)]
    models: Annotated[list[Literal["logreg", "lgbm"]], Field(min_length=1)]
    calibration: Annotated[list[Literal["platt", "isotonic"]], Field(min_length=1)]
    search: Literal["grid", "halving"]
    search_trials: Annotated[int, Field(ge=2)]
    min_positives: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=2)]
    pool_rows: Annotated[int, Field(ge=1000)]
    own_rows: Annotated[int, Field(ge=500)]
    lr_grid: LrGrid
    lgbm_grid: LgbmGrid
    lgbm_rounds: Annotated[int, Field(ge=1)]
    scale_pos_weight_cap: Annotated[float, Field(ge=1)]
    isotonic_min_positives: Annotated[int, Field(ge=2)]
    leakage_auc: Annotated[float, Field(gt=0.5, le=1)]
    overfit_gap: Fraction
    value_cap_quantile: Annotated[float, Field(gt=0.5, le=1)]
    bootstrap: Annotated[int, Field(ge=20)]
    shap_sample_rows: Annotated[int, Field(ge=0)]


class ScoringSettings(Section):
    grades: Annotated[list[Percent], Field(min_length=5, max_length=5)]
    sensitive_attributes: list[str]

    @field_validator("grades")
    @classmethod
    def _falling(cls, value: list[float]) -> list[float]:
        if sorted(value, reverse=True) != value:
            raise ValueError("must fall from A to E")
        return value


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A file's name (empty: none), or a table or query of a database.
ListSource = str | DatabaseSource


class WhitespaceWeights(Section):
    """A weight that is not named is 0."""

    probability: Weight = 0.0
    expected_gp: Weight = 0.0
    affinity: Weight = 0.0
    similarity: Weight = 0.0
    relative_worth: Weight = 0.0

    @model_validator(mode="after")
    def _some_weight(self) -> WhitespaceWeights:
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("at least one weight must be greater than 0")
        return self


class EligibilitySettings(Section):
    min_orders: Annotated[int, Field(ge=1)]
    do_not_contact: ListSource
    open_deals: ListSource
    allowed_regions: list[str] | ListSource
    recent_contacts: ListSource
    recent_contact_days: Annotated[int, Field(ge=0)]


class WhitespaceSettings(Section):
    weights: WhitespaceWeights | Literal["learned"]
    normalize: Literal["pooled", "percentile"]
    min_coverage: Fraction
    reopen_months: Annotated[int, Field(ge=0, le=600)]
    eligibility: EligibilitySettings
    capacity_mode: Literal["hybrid", "top_percent", "accounts_per_rep"]
    capacity_percent: Annotated[float, Field(gt=0, le=100)]
    accounts_per_rep: Annotated[int, Field(ge=1)]
    max_division_share: Annotated[float, Field(gt=0, le=1)]
    cooldown_days: Annotated[int, Field(ge=0)]
    active_months: Annotated[int, Field(ge=1, le=120)]
    control_share: Annotated[float, Field(ge=0, lt=1)]
    capacity_percents: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=1)]
    max_rows: Annotated[int, Field(ge=1)]


class HandoverSettings(Section):
    formats: Annotated[
        list[Literal["salesforce", "hubspot", "parquet", "excel"]], Field(min_length=1)
    ]
    salesforce: dict[str, str]
    hubspot: dict[str, str]


class UiSettings(Section):
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65535)]
    locale: Annotated[str, Field(min_length=2)]
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]


class Settings(Section):
    """All settings of a run; see config.yaml for the defaults and what each means."""

    run: RunSettings
    database: DatabaseSettings
    etl: EtlSettings
    labels: LabelSettings
    features: FeatureSettings
    modeling: ModelingSettings
    scoring: ScoringSettings
    whitespace: WhitespaceSettings
    handover: HandoverSettings
    ui: UiSettings

    @classmethod
    @cache
    def leaves(cls) -> tuple[tuple[str, ...], ...]:
        """The path of every leaf, as in ``("etl", "layout")``."""
        return tuple(_leaf_paths(cls, ()))

    @classmethod
    def field_kind(cls, path: tuple[str, ...]) -> Literal["section", "value", "unknown"]:
        if path in cls.leaves():
            return "value"
        inside = any(key[: len(path)] == path for key in cls.leaves())
        return "section" if inside else "unknown"


def _leaf_paths(model: type[BaseModel], prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        if get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, Section):
            yield from _leaf_paths(kind, (*prefix, name))
        else:
            yield (*prefix, name)
