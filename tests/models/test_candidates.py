from __future__ import annotations

import pickle

import numpy as np
import pytest

from gosales.models.bases import LinearBase, TreeBase, base_from_native
from gosales.models.calibrate import Calibrator
from gosales.models.candidates import Candidate, Sample, fit, grid
from gosales.models.classifier import DivisionClassifier, Head
from gosales.models.division import train_division
from gosales.models.frame import OWNED_SOURCE
from tests.models.worlds import NAMES, make_frame, settings

FRAME = make_frame()
HELD = FRAME.code % 5 == 0
SAMPLE = Sample(FRAME.x, FRAME.label, HELD)
LR = Candidate("logreg", (("C", 0.01), ("l1_ratio", 0.0)))
SPARSE = Candidate("logreg", (("C", 0.001), ("l1_ratio", 0.9)))
TREES = Candidate(
    "lgbm",
    (
        ("num_leaves", 5),
        ("learning_rate", 0.1),
        ("min_child_samples", 10),
        ("feature_fraction", 0.8),
    ),
)
EVERY = pytest.mark.parametrize("candidate", [LR, SPARSE, TREES], ids=["lr", "sparse", "trees"])


@EVERY
def test_the_same_rows_and_seed_give_the_same_model(candidate: Candidate) -> None:
    one = fit(candidate, SAMPLE, settings(), 7)
    assert fit(candidate, SAMPLE, settings(), 7).native() == one.native()


@EVERY
def test_contributions_add_up_to_the_log_odds(candidate: Candidate) -> None:
    base = fit(candidate, SAMPLE, settings(), 7)
    rest = base.margin(FRAME.x) - base.contributions(FRAME.x).sum(axis=1)
    assert np.ptp(rest) < 1e-6


@EVERY
def test_a_row_has_one_score_in_any_batch(candidate: Candidate) -> None:
    base = fit(candidate, SAMPLE, settings(), 7)
    whole = base.margin(FRAME.x)
    for size in (1, 7, 64):
        assert (base.margin(np.ascontiguousarray(FRAME.x[:size])) == whole[:size]).all()


@EVERY
def test_the_native_form_is_equal_to_the_bit(candidate: Candidate) -> None:
    base = fit(candidate, SAMPLE, settings(), 7)
    again = base_from_native(base.native())
    assert (again.margin(FRAME.x) == base.margin(FRAME.x)).all()
    assert again.params() == base.params()


@EVERY
def test_weights_of_positives_do_not_move_the_level(candidate: Candidate) -> None:
    frame = make_frame(customers=800, base=-4.0)
    sample = Sample(frame.x, frame.label, frame.code % 5 == 0)
    base = fit(candidate, sample, settings(modeling__scale_pos_weight_cap=5.0), 7)
    assert base.params()["positive_weight"] > 1.5
    p = 1 / (1 + np.exp(-base.margin(frame.x)))
    assert p.mean() == pytest.approx(frame.label.mean(), abs=0.05)


def test_parameters_are_read_back_from_the_model() -> None:
    trees = fit(TREES, SAMPLE, settings(), 7).params()
    assert {name: trees[name] for name, _ in TREES.params} == dict(TREES.params)
    assert 1 <= trees["trees"] <= 30
    assert fit(LR, SAMPLE, settings(), 7).params()["C"] == 0.01


@pytest.mark.parametrize(
    ("kind", "axis", "values"),
    [
        ("logreg", "C", [0.0003, 0.03]),
        ("logreg", "l1_ratio", [0.0, 1.0]),
        ("lgbm", "num_leaves", [2, 15]),
        ("lgbm", "learning_rate", [0.02, 0.2]),
        ("lgbm", "min_child_samples", [5, 200]),
        ("lgbm", "feature_fraction", [0.2, 1.0]),
    ],
)
def test_no_axis_of_a_grid_is_inert(kind: str, axis: str, values: list[float]) -> None:
    section = "lr_grid" if kind == "logreg" else "lgbm_grid"
    flags = {f"modeling__{section}__{axis}": values}
    if kind == "logreg" and axis == "l1_ratio":
        flags["modeling__lr_grid__C"] = [0.001]
    chosen = settings(**flags)
    found = grid([kind], chosen)
    spread = [one for one in found if dict(one.params)[axis] in values]
    first, last = spread[0], spread[-1]
    scores = [fit(one, SAMPLE, chosen, 7).margin(FRAME.x) for one in (first, last)]
    assert not np.allclose(*scores)


def test_sparse_regression_drops_features() -> None:
    base = fit(Candidate("logreg", (("C", 0.0005), ("l1_ratio", 1.0))), SAMPLE, settings(), 7)
    assert isinstance(base, LinearBase)
    assert (base.coef == 0).any()


def test_early_stopping_looks_at_held_customers_only() -> None:
    long = settings(modeling__lgbm_rounds=300)
    base = fit(TREES, SAMPLE, long, 7)
    assert isinstance(base, TreeBase)
    assert base.params()["trees"] < 300
    nobody = Sample(FRAME.x, FRAME.label, np.zeros(len(HELD), dtype=bool))
    assert fit(TREES, nobody, settings(modeling__lgbm_rounds=40), 7).params()["trees"] == 40


def test_model_pkl_is_the_native_form() -> None:
    trained = train_division(FRAME, ["logreg", "lgbm"], ["platt", "isotonic"], settings(), 1)
    classifier = trained.classifier
    pickled = pickle.dumps(classifier, protocol=4)
    again = pickle.loads(pickled)
    assert pickle.dumps(again, protocol=4) == pickled
    x = FRAME.x[:, [NAMES.index(name) for name in classifier.feature_names_in_]]
    assert (again.predict_proba(x) == classifier.predict_proba(x)).all()
    proba = classifier.predict_proba(x)
    assert proba.shape == (len(x), 2)
    assert np.allclose(proba.sum(axis=1), 1)
    assert ((proba > 0) & (proba < 1)).all()
    assert (classifier.predict(x) == (proba[:, 1] >= 0.5)).all()


def test_the_classifier_takes_data_frames_in_any_column_order() -> None:
    pandas = pytest.importorskip("pandas")
    trained = train_division(FRAME, ["logreg"], ["platt"], settings(), 1)
    table = pandas.DataFrame(FRAME.x[:, ::-1], columns=list(NAMES)[::-1])
    names = list(trained.classifier.feature_names_in_)
    straight = trained.classifier.predict_proba(FRAME.x[:, [NAMES.index(name) for name in names]])
    assert (trained.classifier.predict_proba(table) == straight).all()
    with pytest.raises(ValueError, match="takes"):
        trained.classifier.predict_proba(FRAME.x[:, :2])


def test_each_cohort_is_scored_by_its_head() -> None:
    def head(cohort: str, intercept: float) -> Head:
        base = LinearBase(
            np.zeros(1), np.ones(1), np.zeros(1), np.zeros(1), intercept, 0.0, 1.0, 0.0
        )
        return Head(cohort, (0,), base, Calibrator("none"), 100.0 + intercept)

    classifier = DivisionClassifier(
        "Alpha", [OWNED_SOURCE], 0, [head("owned", 2.0), head("never_owned", -2.0)]
    )
    x = np.array([[3.0], [0.0]])
    assert classifier.predict(x).tolist() == [1, 0]
    assert classifier.deal_value(x).tolist() == [102.0, 98.0]
