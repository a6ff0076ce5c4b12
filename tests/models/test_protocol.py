from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.errors import NothingToDo, UsageError
from gosales.etl.star import StarFacts
from gosales.models.cutoffs import training_cutoffs
from gosales.models.division import train_division
from gosales.models.figures import published
from gosales.models.protocol import closed_by, customer_folds, plan, temporal_folds
from gosales.months import add_months
from tests.models.worlds import CUTOFFS, make_frame, settings

METHODS = ["platt", "isotonic"]
ALL = np.arange(4 * 300)


def facts(first: str, last: str) -> StarFacts:
    day = dt.date.fromisoformat
    return StarFacts(1, "long", ("Alpha",), True, day(first), day(last), 1, 1)


def test_a_window_is_closed_on_its_last_day() -> None:
    days = [dt.date(2023, 6, 30), dt.date(2023, 9, 30)]
    assert closed_by(days, dt.date(2023, 12, 31), 6) == days[:1]
    assert closed_by(days, dt.date(2023, 12, 30), 6) == []


def test_training_rows_are_closed_before_the_cutoff_they_judge() -> None:
    frame = make_frame(window_months=6)
    folds = temporal_folds(frame, ALL)
    assert len(folds) == 2
    for fold in folds:
        (judged,) = {frame.cutoffs[place] for place in frame.cutoff[fold.test]}
        for place in set(frame.cutoff[fold.train].tolist()):
            assert add_months(frame.cutoffs[place], 6) <= judged


def test_customer_folds_never_split_a_customer() -> None:
    frame = make_frame()
    draw = np.random.default_rng(0).random(frame.n_customers)
    folds = customer_folds(frame, ALL, draw, 5)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == ALL.tolist()
    for fold in folds:
        assert not set(frame.code[fold.train]) & set(frame.code[fold.test])


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
    draw = np.random.default_rng(0).random(frame.n_customers)
    way = plan(frame, [np.arange(len(frame.label))], draw, 3)
    assert way is not None
    assert way.kind == kind


@pytest.mark.parametrize(("cutoffs", "window"), [(CUTOFFS, 3), (CUTOFFS[:1], 3)])
def test_a_label_shuffled_training_has_no_skill_anywhere(
    cutoffs: tuple[dt.date, ...], window: int
) -> None:
    real = make_frame(cutoffs=cutoffs, window_months=window)
    rng = np.random.default_rng(11)
    frame = make_frame(cutoffs=cutoffs, window_months=window, label=rng.permutation(real.label))
    trained = train_division(frame, ["logreg", "lgbm"], METHODS, settings(), 1)
    figures = published(frame, trained.judged, 200, 1)
    for part in (figures, *figures["cohorts"].values()):
        low, high = part["intervals"]["auc"]
        assert low < 0.5 < high
        assert part["brier_skill"] < 0.02


def test_a_model_that_memorises_shows_no_figure_of_its_memory() -> None:
    rng = np.random.default_rng(12)
    frame = make_frame(label=(rng.random(1200) < 0.3))
    memory = settings(
        modeling__lgbm_grid__num_leaves=[256],
        modeling__lgbm_grid__min_child_samples=[1],
        modeling__lgbm_grid__learning_rate=[0.9],
    )
    trained = train_division(frame, ["lgbm"], METHODS, memory, 1)
    figures = published(frame, trained.judged, 40, 1)
    assert figures["auc"] < 0.6
    for head in trained.heads:
        assert all(trial.auc < 0.65 for trial in head.trials)


def test_judged_rows_are_of_cutoffs_that_trained_earlier_windows_only() -> None:
    frame = make_frame()
    trained = train_division(frame, ["logreg"], METHODS, settings(), 1)
    assert {frame.cutoffs[p] for p in frame.cutoff[trained.judged.rows]} == set(CUTOFFS[2:])
    altered = frame.label.copy()
    altered[frame.cutoff == 3] = np.roll(altered[frame.cutoff == 3], 7)
    other = train_division(make_frame(label=altered), ["logreg"], METHODS, settings(), 1)
    # What happens in the last window changes no prediction that is judged in it.
    assert (other.judged.p == trained.judged.p).all()


def test_automatic_cutoffs_are_the_newest_quarter_ends_with_a_closed_window() -> None:
    modeling = settings(modeling__max_cutoffs=2)
    found = training_cutoffs(None, modeling, 6, facts("2021-01-01", "2024-12-31"))
    assert found == [dt.date(2024, 3, 31), dt.date(2024, 6, 30)]
    found = training_cutoffs(None, modeling, 6, facts("2021-01-01", "2024-12-30"))
    assert found == [dt.date(2023, 12, 31), dt.date(2024, 3, 31)]
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
