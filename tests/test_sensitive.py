from __future__ import annotations

import pytest

from gosales.sensitive import is_sensitive


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("gender", ["gender"], True),
        ("customerAge", ["age"], True),
        ("average_order", ["age"], False),
        ("Date of Birth", ["birth"], True),
        ("trade union", ["trade union"], True),
        ("unionized", ["union"], False),
        ("anything", [""], False),
    ],
)
def test_sensitive_words_are_whole_words(name: str, words: list[str], found: bool) -> None:
    assert is_sensitive(name, words) is found
