from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET

from gosales.ui import charts


def heights(svg: str) -> list[float]:
    return [float(rect.get("height", 0)) for rect in ET.fromstring(svg).iter("rect")]


def test_a_bar_is_as_long_as_its_share_and_never_longer() -> None:
    widths = [
        float(next(ET.fromstring(charts.bar(value, 200)).iter("rect")).get("width", -1))
        for value in (0, 50, 200, 900, None, -3)
    ]
    assert widths == [0, 25, 100, 100, 0, 0]


def test_a_part_of_nothing_leaves_the_whole_as_it_is() -> None:
    assert "solid" not in charts.bar(5, 10, 0.0)
    assert "solid" in charts.bar(5, 10)


def test_a_figure_without_an_interval_has_no_whisker() -> None:
    assert "whisker" not in charts.interval(2.0, None, None, 4)
    assert "M25.0 5H75.0" in charts.interval(2.0, 1.0, 3.0, 4)


def test_names_are_escaped() -> None:
    rows = [(dt.date(2024, 1, 1), "<script>&", 10.0)]
    drawn = charts.timeline(rows, {"<script>&": 0}, str, 'of "<b>"')
    assert ET.fromstring(drawn).get("aria-label") == 'of "<b>"'
    assert "<script>" not in drawn


def test_a_quarter_is_stacked_and_losses_go_below_the_line() -> None:
    rows = [
        (dt.date(2024, 1, 1), "A", 100.0),
        (dt.date(2024, 1, 1), "B", 50.0),
        (dt.date(2024, 7, 1), "A", -50.0),
    ]
    drawn = charts.timeline(rows, {"A": 0, "B": 1}, str, "orders")
    first, second, loss = heights(drawn)
    assert abs(first - 2 * second) < 0.2 and abs(second - loss) < 0.2
    places = [float(y) for y in re.findall(r'y="([\d.]+)" width', drawn)]
    assert abs(places[2] - (places[0] + first)) < 0.2  # where the others stand, it hangs


def test_the_axis_has_every_quarter_between_the_first_and_the_last() -> None:
    rows = [(dt.date(2022, 10, 1), "A", 1.0), (dt.date(2024, 1, 1), "A", 1.0)]
    drawn = charts.timeline(rows, {"A": 0}, str, "orders")
    left = [float(x) for x in re.findall(r'<rect class="c0" x="([\d.]+)"', drawn)]
    step = (charts.WIDTH - charts.LEFT - 8) / 6
    assert abs(left[1] - left[0] - 5 * step) < 0.2


def test_a_circle_says_its_numbers_and_grows_with_its_customers() -> None:
    rows = [
        {"mean_predicted": 0.1, "fraction_positives": 0.2, "count": 100},
        {"mean_predicted": 0.5, "fraction_positives": 0.4, "count": 25},
        {"mean_predicted": 0.9, "fraction_positives": None, "count": 0},
    ]
    drawn = charts.calibration(rows, lambda v: f"{v:.0%}", "calibration")
    large, small = [float(r) for r in re.findall(r' r="([\d.]+)"', drawn)]
    assert abs((large - 3) - 2 * (small - 3)) < 0.2
    assert "promised 10%, came 20%, 100 customers" in drawn
