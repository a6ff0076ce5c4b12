from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.errors import NothingToDo, UsageError
from gosales.etl.star import StarFacts
from gosales.models.cutoffs import training_cutoffs
from gosales.models.figures import published
from gosales.models.protocol import Rules, customer_folds, judged_cutoffs, plan, temporal_folds
from gosales.models.slices import JOINT, Slice, closed_by
from gosales.months import add_months, month_ends
from tests.models.worlds import CUTOFFS, make_frame, settings, train_one


def rules(window_months: int, embargo_days: int = 0) -> Rules:
    return Rules(window_months, embargo_days, folds=3, seed=0)


def facts(first: str, last: str) -> StarFacts:
    day = dt.date.fromisoformat
    return StarFacts(1, "long", ("Alpha",), True, day(first), day(last), 1, 1)


def test_a_window_is_closed_on_its_last_day() -> None:
    days = [dt.date(2023, 6, 30), dt.date(2023, 9, 30)]
    assert closed_by(days, dt.date(2023, 12, 31), 6) == days[:1]
    assert closed_by(days, dt.date(2023, 12, 30), 6) == []


def test_training_rows_are_closed_before_the_cutoff_they_judge() -> None:
    folds = temporal_folds(Slice(CUTOFFS), rules(6))
    assert len(folds) == 2
    for fold in folds:
        (judged,) = fold.test.cutoffs
        assert all(add_months(day, 6) <= judged for day in fold.train.cutoffs)


def test_an_embargo_holds_training_windows_further_away() -> None:
    for fold in temporal_folds(Slice(CUTOFFS), rules(3, embargo_days=1)):
        (judged,) = fold.test.cutoffs
        assert all(add_months(day, 3) < judged for day in fold.train.cutoffs)
    assert len(temporal_folds(Slice(CUTOFFS), rules(3))) == 3
    assert len(temporal_folds(Slice(CUTOFFS), rules(3, embargo_days=1))) == 2


def test_judged_cutoffs_are_half_a_window_apart() -> None:
    days = list(month_ends(dt.date(2021, 12, 31), dt.date(2022, 12, 31)))
    assert [day.month for day in judged_cutoffs(days, 6)] == [12, 3, 6, 9, 12]
    assert len(judged_cutoffs(days, 12)) == 3
    assert judged_cutoffs(list(CUTOFFS), 6) == list(CUTOFFS)
    # What is judged inside an earlier part is judged outside too, so that fits are shared.
    for window in range(1, 13):
        outer = judged_cutoffs(days, window)
        for day in outer:
            inner = closed_by(days, day, window)
            assert set(judged_cutoffs(inner, window)) <= set(outer) or len(outer) == 5


def test_customer_folds_never_split_a_customer() -> None:
    frame = make_frame()
    folds = customer_folds(Slice(frame.cutoffs), 0, 5)
    tests = [fold.test.rows(frame) for fold in folds]
    assert sorted(np.concatenate(tests).tolist()) == list(range(len(frame.label)))
    for fold, test in zip(folds, tests, strict=True):
        assert not set(frame.code[fold.train.rows(frame)]) & set(frame.code[test])


def test_a_customer_is_in_the_same_fold_in_every_division() -> None:
    one, other = make_frame(300), make_frame(200, seed=2, division="Beta")
    fold = customer_folds(Slice(CUTOFFS), 0, 5)[0]
    mine, theirs = (set(f.customers[fold.test.rows(f)]) for f in (one, other))
    assert theirs == mine & set(other.customers)


@pytest.mark.parametrize(
    ("cutoffs", "window", "kind"),
    [
        (CUTOFFS, 3, "nested"),
        ((CUTOFFS[0], CUTOFFS[1], CUTOFFS[2]), 6, "temporal"),  # as the specification's command
        (CUTOFFS[:2], 6, "customer"),
        (CUTOFFS[:1], 3, "customer"),
    ],
)
def test_the_best_protocol_that_the_cutoffs_allow(
    cutoffs: tuple[dt.date, ...], window: int, kind: str
) -> None:
    frame = make_frame(cutoffs=cutoffs, window_months=window)
    way = plan(frame, [JOINT], rules(window))
    assert way is not None
    assert way.kind == kind


@pytest.mark.parametrize(("cutoffs", "window"), [(CUTOFFS, 3), (CUTOFFS[:1], 3)])
def test_a_label_shuffled_training_has_no_skill_anywhere(
    cutoffs: tuple[dt.date, ...], window: int
) -> None:
    real = make_frame(cutoffs=cutoffs, window_months=window)
    rng = np.random.default_rng(11)
    frame = make_frame(cutoffs=cutoffs, window_months=window, label=rng.permutation(real.label))
    trained = train_one(frame)
    figures = published(frame, trained.judged, 200, 1)
    for part in (figures, *figures["cohorts"].values()):
        low, high = part["intervals"]["auc"]
        assert low - 0.01 < 0.5 < high + 0.01
        assert part["brier_skill"] < 0.02


def test_a_model_that_memorises_shows_no_figure_of_its_memory() -> None:
    rng = np.random.default_rng(12)
    frame = make_frame(label=(rng.random(1200) < 0.3))
    memory = settings(
        modeling__lgbm_grid__num_leaves=[256],
        modeling__lgbm_grid__min_child_samples=[1],
        modeling__lgbm_grid__learning_rate=[0.9],
    )
    trained = train_one(frame, ["lgbm"], modeling=memory)
    figures = published(frame, trained.judged, 40, 1)
    assert figures["auc"] < 0.6
    for head in trained.heads:
        assert all(trial.auc < 0.65 for trial in head.trials)


def test_judged_rows_are_of_cutoffs_that_trained_earlier_windows_only() -> None:
    frame = make_frame()
    trained = train_one(frame, ["logreg"])
    assert {frame.cutoffs[p] for p in frame.cutoff[trained.judged.rows]} == set(CUTOFFS[2:])
    altered = frame.label.copy()
    altered[frame.cutoff == 3] = np.roll(altered[frame.cutoff == 3], 7)
    other = train_one(make_frame(label=altered), ["logreg"])
    # What happens in the last window changes no prediction that is judged in it.
    assert (other.judged.p == trained.judged.p).all()


def test_automatic_cutoffs_are_the_newest_ends_with_a_closed_window() -> None:
    modeling = settings(modeling__max_cutoffs=2, modeling__cutoffs="quarterly")
    found = training_cutoffs(None, modeling, 6, facts("2021-01-01", "2024-12-31"))
    assert found == [dt.date(2024, 3, 31), dt.date(2024, 6, 30)]
    found = training_cutoffs(None, modeling, 6, facts("2021-01-01", "2024-12-30"))
    assert found == [dt.date(2023, 12, 31), dt.date(2024, 3, 31)]
    monthly = settings(modeling__max_cutoffs=2)
    found = training_cutoffs(None, monthly, 6, facts("2021-01-01", "2024-12-30"))
    assert found == [dt.date(2024, 4, 30), dt.date(2024, 5, 31)]
    with pytest.raises(NothingToDo, match="too short"):
        training_cutoffs(None, modeling, 6, facts("2024-01-01", "2024-06-30"))


def test_named_cutoffs_that_cannot_train_are_refused() -> None:
    star, modeling = facts("2021-01-01", "2024-12-31"), settings()
    late = [dt.date(2024, 6, 30), dt.date(2024, 9, 30)]
    with pytest.raises(UsageError, match="2024-09-30 has not closed"):
        training_cutoffs(late, modeling, 6, star)
    with pytest.raises(UsageError, match="No order precedes 2020-01-31"):
        training_cutoffs([dt.date(2020, 1, 31)], modeling, 6, star)
    assert training_cutoffs(late[:1] * 2, modeling, 6, star) == late[:1]
