from __future__ import annotations

import numpy as np

from gosales.features import describe
from gosales.scoring.reasons import FALLBACK, Teller, declarations

NAMES = [
    "rfm__all__tx_n__3m",
    "rfm__all__tx_n__12m",
    "rfm__all__recency_days__life",
    "xdiv__pdm__recency_days__life",
    "xdiv__pdm__owned__life",
    "trajectory__all__gp_std__12m",
]
DIVISIONS = ["PDM", "Simulation"]


def tell(values: list[float], parts: list[float]) -> tuple[str, ...]:
    declared = list(declarations(NAMES, DIVISIONS).values())
    teller = Teller(declared, "Simulation", DIVISIONS, {})
    (row,) = teller.tell(np.array([values]), np.array([parts]))
    return row


def test_the_strongest_topics_speak_once_each() -> None:
    row = tell([2, 9, 24, 30, 1, 5], [0.3, 0.5, 0.2, 0.0, 0.4, 9.0])
    assert row == (
        "9 orders in the last 12 months",
        "Last bought PDM 30 days ago",
        "Last order 24 days ago",
    )


def test_a_topic_whose_windows_cancel_out_is_silent() -> None:
    row = tell([2, 9, 24, 30, 1, 5], [-0.5, 0.5, 0.2, 0.0, 0.0, 0.0])
    assert row == ("Last order 24 days ago", "", "")


def test_what_lowers_the_score_is_no_reason() -> None:
    row = tell([2, 9, 24, np.nan, 0, 5], [-0.1, -0.5, -0.2, 0.0, 0.3, 0.0])
    assert row == (FALLBACK, "", "")


def test_declarations_come_from_describe() -> None:
    found = declarations(NAMES, DIVISIONS)
    assert list(found) == NAMES
    for name, feature in found.items():
        assert feature == describe(name, {"pdm": "PDM", "simulation": "Simulation"})
