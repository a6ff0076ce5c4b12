"""The enrichment list leaves work for matching by name and by likeness."""

import pyarrow.compute as pc
import pytest

from gosales.samples.enrichment import enrichment_table
from gosales.samples.spec import SimulationSpec
from gosales.samples.world import draw_customers

SPEC = SimulationSpec(customers=5000)


def test_rows_with_and_without_id() -> None:
    people = draw_customers(SPEC)
    table = enrichment_table(SPEC, people)
    assert table.column_names == [
        "customer_id",
        "customer_name",
        "industry",
        "industry_sub",
        "size",
        "region",
        "territory",
    ]
    no_id = table.filter(pc.is_null(table["customer_id"]))
    assert no_id.num_rows / table.num_rows == pytest.approx(0.1, abs=0.02)
    names = set(people.name.to_pylist())
    exact = [name in names for name in no_id["customer_name"].to_pylist()]
    assert 0.4 < sum(exact) / len(exact) < 0.8
    ids = set(table["customer_id"].drop_null().to_pylist())
    codes = set(people.code.to_pylist())
    assert 0.85 < len(ids & codes) / len(codes) < 0.92
    assert ids - codes  # prospects that never bought
    assert table["size"].null_count > 0


def test_names_are_distinct_and_ids_unique() -> None:
    people = draw_customers(SPEC)
    assert len(set(people.name.to_pylist())) == len(set(people.code.to_pylist())) == 5000
    assert any(code.startswith("0") for code in people.code.to_pylist())


def test_one_customer_is_enough() -> None:
    spec = SimulationSpec(customers=1)
    assert enrichment_table(spec, draw_customers(spec)).num_rows >= 1
