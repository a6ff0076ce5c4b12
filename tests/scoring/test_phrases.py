from __future__ import annotations

import numpy as np
import pytest

from gosales.features import describe, features_of
from gosales.scoring.phrases import MAX_LENGTH, Phrasing

DIVISIONS = {"pdm": "PDM", "success_plan": "Success Plan"}


def say(name: str, value: float, cap: float | None = None, standing: float = 1.0) -> str | None:
    return Phrasing(describe(name, DIVISIONS), "Simulation", DIVISIONS, cap).say(value, standing)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("rfm__all__recency_days__life", 24, "Last order 24 days ago"),
        ("attr__all__industry_is_food__life", 1, "Its industry is food"),
        ("attr__all__industry_is_food__life", 0, None),
        ("attr__div__industry_active_rate__12m", 1, None),
        ("rfm__all__recency_days__life", 0, "Last order today"),
        ("rfm__all__recency_days__life", 400, None),
        ("rfm__div__recency_days__life", 1, "Last order in Simulation 1 day ago"),
        ("rfm__div__tx_n__12m", 3, "3 orders in Simulation in the last 12 months"),
        ("rfm__all__tx_n__life", 2, "2 orders so far"),
        ("rfm__all__tx_n__life", 1, None),
        ("rfm__all__tx_n__3m", 0, None),
        ("rfm__all__gp_sum__12m", 12345.6, "Gross profit of 12,346 in the last 12 months"),
        ("rfm__div__gp_sum__6m", 2.5, "Gross profit of 2.50 in Simulation in the last 6 months"),
        ("rfm__all__gp_sum__12m", -50, None),
        ("rfm__all__gp_mean__12m", 120, "Gross profit of 120 an order in the last 12 months"),
        ("lifecycle__all__tenure_days__life", 730.5, "Customer for 2.0 years"),
        ("lifecycle__all__tenure_days__life", 40, "New customer: first order 40 days ago"),
        ("lifecycle__all__active_months__life", 14, "Ordered in 14 different months so far"),
        ("lifecycle__all__gap_days_last__life", 45.2, None),
        (
            "trajectory__all__gp_slope__12m",
            1500.0,
            "Gross profit rising by 1,500 a month (12 months)",
        ),
        ("trajectory__all__gp_slope__12m", -3.0, None),
        ("trajectory__all__gp_std__12m", 3.0, None),
        ("season__all__q3_share__24m", 0.62, "62% of orders fall in quarter 3 (last 24 months)"),
        ("season__all__q3_share__24m", 0.1, None),
        ("diversity__all__divisions_n__12m", 4, "Bought from 4 divisions in the last 12 months"),
        (
            "diversity__all__skus_n__12m",
            12,
            "Bought 12 different products in the last 12 months",
        ),
        ("returns__all__n__12m", 2, None),
        ("xdiv__pdm__recency_days__life", 30, "Bought PDM 30 days ago"),
        ("xdiv__pdm__recency_days__life", 1000, "Bought PDM 2.7 years ago"),
        ("xdiv__success_plan__owned__life", 1, "Bought Success Plan before"),
        ("xdiv__success_plan__owned__life", 0, None),
        (
            "xdiv__pdm__gp_share__12m",
            0.125,
            "12% of its gross profit from PDM in the last 12 months",
        ),
        ("xdiv__pdm__gp_share__12m", 0.02, None),
        ("xdiv__div__gp_share__12m", 0.3, None),
        ("rfm__all__gp_mean__12m", float("nan"), None),
        (
            "affinity__div__lift_max__24m",
            2.34,
            "Buyers of the same things take up Simulation 2.3 times as often",
        ),
        ("affinity__div__lift_max__24m", 1.0, None),
        (
            "affinity__div__nb_products__24m",
            1.5,
            "Buys like buyers of Simulation: more so than 99% of customers",
        ),
        ("affinity__div__nb_products__24m", -1.5, None),
    ],
)
def test_values_in_a_sellers_words(name: str, value: float, text: str | None) -> None:
    assert say(name, value) == text


def test_few_orders_little_profit_and_rare_orders_are_no_argument() -> None:
    assert say("rfm__all__tx_n__12m", 3, standing=0.2) is None
    assert say("rfm__all__gp_sum__12m", 900, standing=0.2) is None
    assert say("lifecycle__all__gap_days_mean__life", 300, standing=0.9) is None
    assert say("lifecycle__all__gap_days_mean__life", 30, standing=0.2) == (
        "Usually orders every 30 days"
    )
    assert say("lifecycle__all__gap_days_mean__life", 1.2, standing=0.2) == (
        "Usually orders every day"
    )
    assert say("affinity__div__nb_products__24m", 0.1, standing=0.6) is None


@pytest.mark.parametrize("cap", [22210.01, 22210.02, 0.1, 7.0])
def test_a_cap_in_single_precision_is_or_more(cap: float) -> None:
    text = say("rfm__all__gp_sum__12m", float(np.float32(cap)), cap=cap)
    assert text is not None and "or more" in text


def test_a_capped_value_is_or_more() -> None:
    text = say("rfm__all__gp_sum__12m", 5000.0, cap=5000.0)
    assert text == "Gross profit of 5,000 or more in the last 12 months"


def test_no_phrase_bears_a_raw_name_or_is_too_long() -> None:
    long = "A division with an uncommonly long name " * 5
    for feature in features_of(DIVISIONS):
        for value in (0.0, 0.4, 1.0, 7.0, 1e9):
            for standing in (0.0, 0.5, 1.0):
                text = Phrasing(feature, long, DIVISIONS, None).say(value, standing)
                assert text is None or (0 < len(text) <= MAX_LENGTH and "__" not in text)


def test_every_phrase_begins_with_our_own_words() -> None:
    """The list joins phrases in lower case: a name's capital would be lost."""
    for feature in features_of(DIVISIONS):
        for value in (0.4, 1.0, 7.0, 100.0):
            text = Phrasing(feature, "Simulation", DIVISIONS, None).say(value)
            assert text is None or not text.startswith(("Simulation", *DIVISIONS.values()))
