from __future__ import annotations

import pytest

from gosales.features import describe, features_of
from gosales.scoring.phrases import MAX_LENGTH, Phrasing

DIVISIONS = {"pdm": "PDM", "success_plan": "Success Plan"}


def say(name: str, value: float, cap: float | None = None) -> str | None:
    return Phrasing(describe(name, DIVISIONS), "Simulation", DIVISIONS, cap).say(value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("rfm__all__recency_days__life", 24, "Last order 24 days ago"),
        ("rfm__all__recency_days__life", 0, "Last order today"),
        ("rfm__div__recency_days__life", 1, "Last Simulation order 1 day ago"),
        ("rfm__div__tx_n__12m", 3, "3 Simulation orders in the last 12 months"),
        ("rfm__all__tx_n__life", 1, "1 order so far"),
        ("rfm__all__tx_n__3m", 0, None),
        ("rfm__all__gp_sum__12m", 12345.6, "Gross profit of 12,346 in the last 12 months"),
        ("rfm__div__gp_sum__6m", 2.5, "Simulation gross profit of 2.50 in the last 6 months"),
        ("rfm__all__gp_sum__12m", -50, None),
        ("rfm__all__gp_mean__12m", 120, "120 gross profit per order in the last 12 months"),
        ("lifecycle__all__tenure_days__life", 730.5, "Customer for 2.0 years"),
        ("lifecycle__all__tenure_days__life", 40, "Customer for 40 days"),
        ("lifecycle__all__active_months__life", 14, "Ordered in 14 months so far"),
        ("lifecycle__all__gap_days_mean__life", 45.2, "Usually orders every 45 days"),
        ("trajectory__all__gp_slope__12m", -3.0, "Gross profit falling over the last 12 months"),
        ("trajectory__all__gp_std__12m", 3.0, None),
        ("season__all__q3_share__24m", 0.62, "62% of orders fall in quarter 3 (last 24 months)"),
        ("season__all__q3_share__24m", 0.1, None),
        ("diversity__all__divisions_n__12m", 4, "Bought from 4 divisions in the last 12 months"),
        ("returns__all__n__12m", 2, "2 returned lines in the last 12 months"),
        ("xdiv__pdm__recency_days__life", 30, "Last bought PDM 30 days ago"),
        ("xdiv__success_plan__owned__life", 1, "Bought Success Plan before"),
        ("xdiv__success_plan__owned__life", 0, None),
        (
            "xdiv__pdm__gp_share__12m",
            0.125,
            "12% of gross profit from PDM in the last 12 months",
        ),
        ("xdiv__div__gp_share__12m", 0.3, None),
        ("rfm__all__gp_mean__12m", float("nan"), None),
    ],
)
def test_values_in_a_sellers_words(name: str, value: float, text: str | None) -> None:
    assert say(name, value) == text


def test_a_capped_value_is_or_more() -> None:
    text = say("rfm__all__gp_sum__12m", 5000.0, cap=5000.0)
    assert text == "Gross profit of 5,000 or more in the last 12 months"


def test_no_phrase_bears_a_raw_name_or_is_too_long() -> None:
    long = "A division with an uncommonly long name " * 5
    for feature in features_of(DIVISIONS):
        for value in (0.0, 0.4, 1.0, 7.0, 1e9):
            text = Phrasing(feature, long, DIVISIONS, None).say(value)
            assert text is None or (0 < len(text) <= MAX_LENGTH and "__" not in text)


def test_windows_of_one_measure_are_one_topic() -> None:
    def topic(name: str) -> tuple[str, str]:
        return Phrasing(describe(name, DIVISIONS), "Simulation", DIVISIONS, None).topic

    assert topic("rfm__all__tx_n__3m") == topic("rfm__all__tx_n__24m")
    assert topic("rfm__all__tx_n__3m") == topic("lifecycle__all__active_months__life")
    assert topic("rfm__all__tx_n__3m") != topic("rfm__div__tx_n__3m")
    assert topic("xdiv__pdm__gp_share__12m") == topic("xdiv__pdm__owned__life")
