"""The simulated business sells what the built-in SKU map knows."""

import csv
from importlib import resources

from gosales.samples.catalog import DIVISIONS, PRODUCTS


def test_products_are_those_of_the_sku_map() -> None:
    text = (resources.files("gosales.etl") / "sku_map.csv").read_text(encoding="utf-8")
    known = {
        row["product_sku"]: (row["qty_column"], row["division"])
        for row in csv.DictReader(text.splitlines())
    }
    sold = {p.sku: (p.quantity, d.name) for d in DIVISIONS for p in d.products}
    assert sold.items() <= known.items()
    assert known.keys() - sold.keys() == {"Supplies", "Success_Plan"}  # second names


def test_quantity_columns_are_distinct() -> None:
    assert len({p.quantity for p in PRODUCTS}) == len(PRODUCTS) >= 30


def test_effects_name_real_divisions() -> None:
    names = {d.name for d in DIVISIONS}
    assert len(names) == len(DIVISIONS) >= 10
    for division in DIVISIONS:
        assert {*division.after, *division.brings} <= names - {division.name}
        assert division.renews == (division.again == 0)


def test_renewing_divisions_bring_nothing_along() -> None:
    """The truth's closed form needs it: a bringer's hazard is known for the whole window."""
    assert not any(d.renews and d.brings for d in DIVISIONS)
