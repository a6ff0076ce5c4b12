from __future__ import annotations

import numpy as np
import pytest

from gosales.features import describe
from gosales.models import Design
from gosales.scoring.reasons import FALLBACK, REASONS, WEAK, Teller, declarations, too_early

NAMES = [
    "rfm__all__tx_n__3m",
    "rfm__all__tx_n__12m",
    "rfm__all__recency_days__life",
    "xdiv__pdm__recency_days__life",
    "xdiv__pdm__owned__life",
    "trajectory__all__gp_std__12m",
]
DIVISIONS = ["PDM", "Simulation"]


def teller(names: list[str] = NAMES, sensitive: tuple[str, ...] = ()) -> Teller:
    declared = list(declarations(names, DIVISIONS).values())
    return Teller(declared, "Simulation", DIVISIONS, {}, sensitive)


def tell(values: list[float], parts: list[float], **more) -> tuple[str, ...]:
    told = teller(**more).tell(np.array([values], dtype=float), np.array([parts]))
    return tuple(told.text[0])


def test_the_strongest_topics_speak_once_each() -> None:
    row = tell([2, 9, 24, 30, 1, 5], [0.3, 0.5, 0.2, 0.0, 0.4, 9.0])
    assert row == (
        "9 orders in the last 12 months",
        "Bought PDM 30 days ago",
        "Last order 24 days ago",
    )


def test_a_topic_whose_windows_cancel_out_is_silent() -> None:
    row = tell([2, 9, 24, 30, 1, 5], [-0.5, 0.5, 0.2, 0.0, 0.0, 0.0])
    assert row == ("Last order 24 days ago", "", "")


def test_what_lowers_the_score_is_no_reason() -> None:
    row = tell([2, 9, 24, np.nan, 0, 5], [-0.1, -0.5, -0.2, 0.0, 0.3, 0.0])
    assert row == (FALLBACK, "", "")


def test_a_concept_speaks_once_whatever_its_scopes() -> None:
    names = [
        "xdiv__pdm__recency_days__life", "xdiv__simulation__recency_days__life",
        "rfm__all__gp_sum__12m", "rfm__all__gp_mean__6m", "rfm__div__gp_sum__12m",
    ]  # fmt: skip
    row = tell([3, 4, 900, 300, 50], [0.5, 0.4, 0.3, 0.3, 0.2], names=names)
    assert row == ("Gross profit of 900 in the last 12 months", "Bought PDM 3 days ago", "")


def test_a_young_customer_has_no_trend_and_no_season() -> None:
    names = [
        "trajectory__all__tx_delta__24m",
        "season__all__q4_share__24m",
        "rfm__all__recency_days__life",
    ]
    x, parts = np.array([[3.0, 1.0, 24.0]] * 3), np.array([[0.5, 0.4, 0.3]] * 3)
    tenure, orders = np.array([61.0, 500, 500]), np.array([3.0, 3, 9])
    kept = ("lifecycle__all__tenure_days__life", "rfm__all__tx_n__life")
    design = Design(kept, {}, np.array(list("abc"), dtype=object), np.c_[tenure, orders])
    told = teller(names).tell(x, parts, too_early(design)).text.tolist()
    last = "Last order 24 days ago"
    trend = "Placed 3 more orders than in the year before"
    season = "100% of orders fall in quarter 4 (last 24 months)"
    assert told == [[last, "", ""], [trend, last, ""], [trend, season, last]]


def test_little_of_what_speaks_for_a_sale_is_not_told() -> None:
    """Nine of ten customers order more than this one: its few orders are no argument."""
    x = np.array([[n, n, 10.0 * n, np.nan, 0, 0] for n in range(2, 12)], dtype=float)
    parts = np.tile([0.0, 0.5, 0.0, 0.0, 0.0, 0.0], (10, 1))
    first = teller().tell(x, parts).text[:, 0]
    assert first[0] == FALLBACK
    assert first[9] == "11 orders in the last 12 months"


def test_a_sensitive_measure_or_division_is_never_told() -> None:
    values, parts = [2.0, 9, 24, 30, 1, 5], [0.0, 0.0, 0.2, 0.3, 0.4, 0.0]
    assert tell(values, parts, sensitive=("pdm",)) == ("Last order 24 days ago", "", "")
    # The flag cannot say the day then.
    assert tell(values, parts, sensitive=("Recency",)) == ("Bought PDM before", "", "")


def test_declarations_come_from_describe() -> None:
    found = declarations(NAMES, DIVISIONS)
    assert list(found) == NAMES
    for name, feature in found.items():
        assert feature == describe(name, {"pdm": "PDM", "simulation": "Simulation"})


@pytest.mark.parametrize("seed", [1, 2])
def test_all_rows_at_once_tell_what_a_row_by_row_oracle_tells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.round(rng.lognormal(2, 1.5, (60, len(NAMES))))
    x[:, 4] = rng.integers(0, 2, 60)
    x[x[:, 4] == 0, 3] = np.nan
    parts = rng.normal(0, 0.3, x.shape)
    teller_of_all = teller()
    told = teller_of_all.tell(x, parts)
    for row in range(len(x)):
        texts, features, weights = slow(teller_of_all, x, parts[row], row)
        assert told.text[row].tolist() == texts
        assert told.feature[row].tolist() == features
        assert told.weight[row].tolist() == pytest.approx(weights)


def slow(
    told: Teller, x: np.ndarray, parts: np.ndarray, row: int
) -> tuple[list[str], list[int], list[float]]:
    """The rule, word for word, for one row: reasons, who speaks, and what the topic adds."""
    topics = {
        topic: [int(m) for m in members]
        for topic, members in zip(told._topics, told._members, strict=True)
    }
    weight = {topic: sum(parts[m] for m in members) for topic, members in topics.items()}
    said: dict[str, tuple[str, int, float]] = {}
    for topic in sorted(topics, key=lambda t: (-weight[t], told._topics.index(t))):
        if weight[topic] < WEAK or len(said) == REASONS:
            break
        if topic[0] in said:
            continue
        for m in sorted(topics[topic], key=lambda m: (-parts[m], m)):
            if NAMES[m] == "xdiv__pdm__owned__life":
                if not x[row, m]:
                    continue
                m = NAMES.index("xdiv__pdm__recency_days__life")
            column = x[~np.isnan(x[:, m]), m]
            standing = float((column < x[row, m]).sum()) / (len(column) - 1)
            text = told._phrasings[m].say(float(x[row, m]), standing)
            if text is not None:
                said[topic[0]] = (text, m, weight[topic])
                break
    found = list(said.values()) or [(FALLBACK, -1, 0.0)]
    found += [("", -1, 0.0)] * (REASONS - len(found))
    texts, features, weights = zip(*found, strict=True)
    return list(texts), list(features), list(weights)
