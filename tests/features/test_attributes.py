"""Attributes of customers: any column of any list, rates of the past only, and what is left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gosales.features import build_features, describe
from gosales.run import Run
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import TOLD, by_customer, random_log, read, written

CUTOFF = dt.date(2024, 6, 30)


def names_of(run: Run, division: str = "PDM") -> set[str]:
    return {n for n in read(run, division, CUTOFF).column_names if n.startswith("attr__")}


def test_without_enrichment_there_are_no_attributes(run: Run) -> None:
    write_star(run, random_log(5))
    build_features(run, ["PDM"], [CUTOFF])
    assert names_of(run) == set()


def test_a_text_with_few_values_a_number_and_an_id_are_told_apart(run: Run) -> None:
    lines = [fact(f"c{n:02d}", "2024-05-01", "PDM", 10) for n in range(20)]
    told = [
        {"customer_id": f"c{n:02d}", "Size of Firm": ["small", "LARGE"][n % 2], "seats": float(n)}
        | {"phone": f"555-{n}"}
        for n in range(20)
    ]
    write_star(run, lines, told)
    build_features(run, ["PDM"], [CUTOFF])
    assert names_of(run) == {
        "attr__all__seats_value__life",
        "attr__all__size_of_firm_active_rate__12m",
        "attr__all__size_of_firm_is_large__life",
        "attr__all__size_of_firm_is_small__life",
        "attr__div__size_of_firm_active_rate__12m",
        "attr__div__size_of_firm_gp_share__12m",
    }
    row = by_customer(read(run, "PDM", CUTOFF))["c03"]
    assert row["attr__all__seats_value__life"] == 3
    assert row["attr__all__size_of_firm_is_large__life"] == 1
    assert row["attr__all__size_of_firm_is_small__life"] == 0


def buyers(industry: str, n: int, day: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    ids = [f"{industry}-{k}" for k in range(n)]
    lines = [fact(customer, day, "PDM", 10) for customer in ids]
    return lines, [{"customer_id": customer, "industry": industry} for customer in ids]


def test_rates_are_of_the_group_and_of_its_past(run: Run) -> None:
    lively, told = buyers("lively", 30, "2024-05-01")
    sleepy, more = buyers("sleepy", 30, "2022-05-01")
    late, unheard = buyers("sleepy", 30, "2024-07-01")
    late = [row | {"customer_id": f"late-{n}"} for n, row in enumerate(late)]
    unheard = [row | {"customer_id": f"late-{n}"} for n, row in enumerate(unheard)]
    write_star(run, lively + sleepy + late, told + more + unheard)
    build_features(run, ["PDM"], [CUTOFF])
    rows = by_customer(read(run, "PDM", CUTOFF))
    for scope in ("all", "div"):
        name = f"attr__{scope}__industry_active_rate__12m"
        assert rows["lively-0"][name] > 0.9
        assert rows["sleepy-0"][name] < 0.1
    assert rows["lively-0"]["attr__div__industry_gp_share__12m"] > 0.9


def test_only_the_commonest_values_get_a_flag(run_in: OpenRun) -> None:
    with run_in(**{"features.attribute_top_n": 1}) as run:
        lines, told = buyers("common", 9, "2024-05-01")
        others, more = buyers("rarer", 8, "2024-05-01")
        write_star(run, lines + others, told + more)
        build_features(run, ["PDM"], [CUTOFF])
        table = written(run, "PDM", CUTOFF)
        assert "attr__all__industry_is_common__life" in table.column_names
        assert "attr__all__industry_is_rarer__life" not in table.column_names
        again = read(run, "PDM", CUTOFF)["attr__all__industry_is_rarer__life"]
        assert set(again.to_pylist()) == {0}


def test_the_dimensions_sums_of_the_whole_log_are_never_used(run: Run) -> None:
    write_star(run, random_log(5), TOLD)
    build_features(run, ["PDM"], [CUTOFF])
    for word in ("orders", "gross_profit", "first_order", "last_order", "enrichment"):
        assert not any(f"__{word}" in name for name in names_of(run))


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("attr__all__industry_is_tier_1__life", "1 if industry is tier 1"),
        ("attr__all__annual_revenue_value__life", "annual revenue"),
        (
            "attr__div__size_active_rate__12m",
            "share of customers with the same size that ordered in this division "
            "in the last 12 months, smoothed",
        ),
    ],
)
def test_a_name_alone_is_described(name: str, description: str) -> None:
    assert describe(name).description == description
