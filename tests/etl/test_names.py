"""Names in comparable form: the rule by example, and equal on every engine."""

from __future__ import annotations

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from gosales.etl.names import (
    name_key,
    plain_name_key,
    plain_split_numbered_name,
    split_numbered_name,
)
from tests.conftest import OpenRun

EXAMPLES = {
    "Acme Corp": "acme",
    "  ACME,  Inc. ": "acme",
    "497588 Acme Corp": "acme",
    "Acme Co., Ltd.": "acme",
    "Acmé GmbH & Co. KG": "acme",
    "Smith & Sons": "smith and sons",
    "Smith and Sons LLC": "smith and sons",
    "Macy's": "macys",
    "O’Neill S.A.": "oneill",
    "Ferrari S.p.A.": "ferrari",
    "Łódź Müller Straße": "lodz muller strasse",
    "Ærø Værft A/S": "aero vaerft",
    "ΑΛΦΑ ΟΔΟΣ": "αλφα οδοσ",
    "Йод-Сервис": "иод сервис",
    "日本製鉄 株式会社": "日本製鉄 株式会社",
    "84 Lumber": "84 lumber",
    "3M Company": "3m",
    "123456": "123456",
    "1234 5678": "1234 5678",
    "Inc": "inc",
    "The Company": "the",
    "Coca-Cola": "coca cola",
    "  .,- ": None,
    "": None,
}


@pytest.mark.parametrize(("name", "key"), EXAMPLES.items())
def test_a_name_has_this_key(name: str, key: str | None) -> None:
    assert plain_name_key(name) == key


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("497588 Acme Corp", ("497588", "Acme Corp")),
        (" 0497588  Acme ", ("0497588", "Acme")),
        ("497588.0 Acme", ("497588", "Acme")),
        ("497588 - Acme", ("497588", "Acme")),
        ("497588 3M", ("497588", "3M")),
        ("84 Lumber", (None, "84 Lumber")),
        ("2024-01-31", (None, "2024-01-31")),
        ("497588", (None, "497588")),
        ("Acme 497588", (None, "Acme 497588")),
        (" ", (None, None)),
    ],
)
def test_a_numbered_name_is_split_and_another_is_not(
    cell: str, expected: tuple[str | None, str | None]
) -> None:
    assert plain_split_numbered_name(cell) == expected


@pytest.mark.parametrize("key", sorted({key for key in EXAMPLES.values() if key}))
def test_a_key_is_its_own_key(key: str) -> None:
    assert plain_name_key(key) == key


LETTERS = st.one_of(
    st.sampled_from("abcXYZ 0123456789 .,-&'’/()#:\t\u00a0 "),
    st.characters(min_codepoint=0x20, max_codepoint=0x24F),
    st.characters(min_codepoint=0x370, max_codepoint=0x4FF, categories=["L", "P"]),
    st.characters(min_codepoint=0x1E00, max_codepoint=0x30FF, categories=["L", "P", "S"]),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
)
WORDS = st.one_of(
    st.text(LETTERS, max_size=12),
    st.sampled_from(["Inc.", "GmbH", "& Co. KG", "S.A.", "L.L.C", "497588", "12", "12.0", "Ltd"]),
)
NAMES = st.lists(WORDS, min_size=0, max_size=5).map(" ".join)


def _generated(count: int) -> list[str]:
    """Many names from the strategy, in one go: an engine answers one query, not hundreds."""
    found: list[str] = [*EXAMPLES, "497588 - Acme", "497588.0 Acme\nInc"]

    @seed(1)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(NAMES, min_size=20, max_size=20))
    def collect(names: list[str]) -> None:
        found.extend(names)

    collect()
    return found


def test_expressions_equal_the_plain_functions_on_generated_names(
    run_in: OpenRun, engine_name: str
) -> None:
    names = _generated(150)
    with run_in(**{"database.engine": engine_name}) as run:
        table: ir.Table = run.engine.from_arrow(
            pa.table({"n": range(len(names) + 1), "name": pa.array([*names, None], pa.string())})
        )
        number, rest = split_numbered_name(table.name)
        rows = run.engine.to_arrow(
            table.select(
                "n", "name", key=name_key(table.name),
                number=number, rest=rest,
            ).order_by("n")
        ).to_pylist()  # fmt: skip
    *known, last = rows
    assert [last[column] for column in ("key", "number", "rest")] == [None] * 3
    for row in known:
        name = row["name"]
        assert row["key"] == plain_name_key(name), ascii(name)
        assert (row["number"], row["rest"]) == plain_split_numbered_name(name), ascii(name)
