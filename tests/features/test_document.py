"""docs/features.md says what the declarations say."""

from __future__ import annotations

from pathlib import Path

from gosales.features import features_of
from gosales.features.document import FAMILIES, document

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_page_is_current() -> None:
    told = "Write it again: python -m gosales.features.document > docs/features.md"
    assert PAGE.read_text(encoding="utf-8") == document(), told


def test_every_family_and_feature_stands_on_the_page() -> None:
    assert {f.family for f in features_of({"pdm": "PDM"})} | {"attr"} == set(FAMILIES)
    page = PAGE.read_text(encoding="utf-8")
    for feature in features_of({}):
        assert f"`{feature.name}`" in page


def test_every_feature_says_its_unit_and_what_it_is() -> None:
    for feature in features_of({"pdm": "PDM"}):
        assert feature.unit
        assert feature.description
        assert not feature.description.endswith(".")
