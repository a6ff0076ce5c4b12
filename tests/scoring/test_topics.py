from __future__ import annotations

from gosales.features import describe, features_of
from gosales.scoring.topics import topic_of


def topic(name: str, target: str = "simulation") -> tuple[str, str]:
    return topic_of(describe(name, {"pdm": "PDM"}), target)


def test_windows_of_one_measure_are_one_topic() -> None:
    assert topic("rfm__all__tx_n__3m") == topic("rfm__all__tx_n__24m")
    assert topic("rfm__all__tx_n__3m") == topic("lifecycle__all__active_months__life")
    assert topic("rfm__all__tx_n__3m") == topic("lifecycle__all__gap_days_mean__life")
    assert topic("rfm__all__gp_sum__3m") == topic("rfm__all__gp_mean__12m")
    assert topic("rfm__all__tx_n__3m") != topic("rfm__div__tx_n__3m")
    assert topic("xdiv__pdm__gp_share__12m") == topic("xdiv__pdm__owned__life")


def test_what_other_features_say_of_the_target_is_said_of_the_division() -> None:
    assert topic("xdiv__pdm__owned__life", target="pdm") == ("owns", "div")


def test_every_feature_has_a_concept() -> None:
    known = {
        "orders", "profit", "recency", "breadth", "owns", "fit", "trend", "season", "returns",
        "tenure",
    }  # fmt: skip
    assert topic("attr__all__industry_is_aerospace__life") == ("kind", "all")
    assert {topic_of(feature, "x")[0] for feature in features_of({"pdm": "PDM"})} <= known
