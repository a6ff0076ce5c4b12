"""The arithmetic of benchmarks/quality.py: splits, means, paired differences, its own peers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.judged.figures import Cell, Estimate, Judge, difference, ratio
from benchmarks.judged.page import write_section
from benchmarks.judged.rates import BgNbd, fit_bgnbd
from benchmarks.judged.split import test_cutoffs as cutoffs_to_judge_at
from benchmarks.judged.split import training_days
from gosales.errors import NothingToDo
from gosales.etl.star import StarFacts

DAY = dt.date


def star(first: dt.date, last: dt.date) -> StarFacts:
    return StarFacts(1, "long", ("A",), True, first, last, 9, 99)


def cell(label: np.ndarray, prior: float) -> Cell:
    rows = np.arange(len(label))
    return Cell("A", "all", "2024-06-30", rows, rows, label, label, prior)


def test_a_log_that_ends_a_day_before_its_window_is_judged_there() -> None:
    about = star(DAY(2010, 12, 29), DAY(2013, 11, 29))
    assert cutoffs_to_judge_at(about, 6, 2) == [DAY(2013, 5, 31), DAY(2013, 2, 28)]
    early = star(DAY(2010, 12, 29), DAY(2013, 11, 26))
    assert cutoffs_to_judge_at(early, 6, 1) == [DAY(2013, 4, 30)]


def test_training_windows_have_closed_by_the_test_cutoff() -> None:
    days = training_days(star(DAY(2017, 1, 1), DAY(2017, 12, 31)), DAY(2017, 9, 30), 3)
    assert days == (DAY(2017, 3, 31), DAY(2017, 4, 30), DAY(2017, 5, 31), DAY(2017, 6, 30))


def test_a_log_without_a_closed_training_window_is_refused() -> None:
    with pytest.raises(NothingToDo, match="too short"):
        cutoffs_to_judge_at(star(DAY(2024, 1, 1), DAY(2024, 9, 30)), 6, 1)


def test_the_mean_is_over_divisions_and_the_interval_over_customers() -> None:
    rng = np.random.default_rng(0)
    labels = [(rng.random(400) < share).astype(float) for share in (0.1, 0.4)]
    scores = [np.clip(rng.random(400) * 0.5 + 0.3 * one, 0, 1) for one in labels]
    judge = Judge(400, 200, 1)
    measured = [judge.measure(cell(label, 0.2), p) for label, p in zip(labels, scores, strict=True)]
    auc = Estimate.mean("auc", [one["auc"] for one in measured])
    expected = [roc_auc_score(label, p) for label, p in zip(labels, scores, strict=True)]
    assert auc.point == pytest.approx(np.mean(expected))
    low, high = auc.interval
    assert low is not None and high is not None and low < auc.point < high
    skill = measured[0]["brier_skill"][0]
    worst = ((0.2 - labels[0]) ** 2).mean()
    assert skill == pytest.approx(1 - ((scores[0] - labels[0]) ** 2).mean() / worst)


def test_the_same_scores_differ_by_nothing_in_every_draw() -> None:
    rng = np.random.default_rng(2)
    label = (rng.random(300) < 0.2).astype(float)
    p = rng.random(300)
    judge = Judge(300, 50, 3)
    first, again = (judge.measure(cell(label, 0.2), p)["lift_at_10"] for _ in range(2))
    ours, theirs = (Estimate.mean("lift_at_10", [one]) for one in (first, again))
    assert difference(ours, theirs).interval == [0.0, 0.0]
    assert ratio(ours, theirs).point == 1.0


def test_a_base_rate_ranks_nothing_and_has_no_skill() -> None:
    label = np.array([1.0] * 10 + [0.0] * 90)
    found = Judge(100, 30, 4).measure(cell(label, 0.25), np.full(100, 0.25))
    assert found["auc"][0] == 0.5
    assert found["lift_at_10"][0] == pytest.approx(1.0)
    assert found["brier_skill"][0] == pytest.approx(0.0)
    assert found["calibration_mae"][0] == pytest.approx(0.15)


def test_eight_buyers_and_eight_others_are_the_fewest() -> None:
    for buyers, counts in ((7, False), (8, True), (92, True), (93, False)):
        label = np.array([1.0] * buyers + [0.0] * (100 - buyers))
        assert cell(label, 0.1).counts is counts


def test_bgnbd_finds_the_chance_of_simulated_customers() -> None:
    rng = np.random.default_rng(5)
    r, alpha, a, b, age, months = 1.5, 6.0, 1.0, 4.0, 24.0, 6.0
    repeats, last, again = [], [], []
    for _ in range(6000):
        rate, leave = rng.gamma(r, 1 / alpha), rng.beta(a, b)
        now, count, seen = 0.0, 0, 0.0
        bought = False
        while True:
            now += rng.exponential(1 / rate)
            if now > age:
                bought = now <= age + months
                break
            count, seen = count + 1, now
            if rng.random() < leave:
                break
        repeats.append(count)
        last.append(seen)
        again.append(bought)
    x, until = np.array(repeats, dtype=float), np.array(last)
    truth = BgNbd(r, alpha, a, b).chance(x, until, np.full(6000, age), months)
    fitted = fit_bgnbd(x, until, np.full(6000, age)).chance(x, until, np.full(6000, age), months)
    assert truth.mean() == pytest.approx(np.mean(again), abs=0.015)
    assert np.abs(fitted - truth).mean() < 0.02
    assert roc_auc_score(again, fitted) == pytest.approx(roc_auc_score(again, truth), abs=0.005)


def test_a_section_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    page.write_text("# Quality\n\nWords.\n", encoding="utf-8")
    for text in ("one\n", "two \\1\n"):
        write_section(page, "log", text)
        write_section(page, "other", text)
    assert page.read_text(encoding="utf-8") == (
        "# Quality\n\nWords.\n\n"
        "<!-- quality: log -->\ntwo \\1\n<!-- end of quality: log -->\n\n"
        "<!-- quality: other -->\ntwo \\1\n<!-- end of quality: other -->\n"
    )
