from __future__ import annotations

import pickle

import numpy as np
import pytest

from gosales.models.bases import Base, BlendBase, LinearBase, TreeBase, base_from_native
from gosales.models.calibrate import Calibrator
from gosales.models.candidates import RULE, Candidate, grid
from gosales.models.classifier import DivisionClassifier, Head
from gosales.models.fitting import Fit, Fitter
from gosales.models.frame import OWNED_SOURCE
from gosales.models.pool import Pool
from gosales.models.slices import JOINT, Slice
from gosales.models.value import ValueModel
from tests.models.worlds import CUTOFFS, NAMES, make_frame, settings, train_one

FRAME = make_frame()
OTHER = make_frame(250, seed=9, division="Beta", base=-3.0)
LR = Candidate("logreg", "own", (("C", 0.01), ("l1_ratio", 0.0)))
SPARSE = Candidate("logreg", "own", (("C", 0.001), ("l1_ratio", 0.9)))
MEAN = Candidate("logreg", "mean", (("C", 0.001), ("l1_ratio", 0.0)))
AXES = (
    ("num_leaves", 5), ("learning_rate", 0.1), ("min_child_samples", 10), ("feature_fraction", 0.8),
)  # fmt: skip
TREES = Candidate("lgbm", "own", AXES)
POOLED = Candidate("lgbm", "pooled", AXES)
BLEND = Candidate("blend", "mean", parts=(MEAN, POOLED))
EVERY = pytest.mark.parametrize("candidate", [LR, SPARSE, TREES, MEAN, POOLED, BLEND, RULE])


def fitted(candidate: Candidate, alone: bool = False, **flags: object) -> Fit:
    pool = Pool([FRAME] if alone else [FRAME, OTHER], settings(**flags), 7)
    return Fitter(FRAME, pool).fit(candidate, JOINT, Slice(CUTOFFS))


def base_of(candidate: Candidate, **flags: object) -> tuple[Base, np.ndarray]:
    found = fitted(candidate, **flags)
    return found.base, np.ascontiguousarray(FRAME.x[:, list(found.columns)])


@EVERY
def test_the_same_rows_and_seed_give_the_same_model(candidate: Candidate) -> None:
    assert base_of(candidate)[0].native() == base_of(candidate)[0].native()


@EVERY
def test_contributions_add_up_to_the_log_odds(candidate: Candidate) -> None:
    base, x = base_of(candidate)
    rest = base.margin(x) - base.contributions(x).sum(axis=1)
    # What is left is the intercept; in pooled trees, also the division's part in each path.
    division = any(isinstance(one, TreeBase) and one.division is not None for one in parts(base))
    assert np.ptp(rest) < (1.0 if division else 1e-6)


def parts(base: Base) -> tuple[Base, ...]:
    return base.parts if isinstance(base, BlendBase) else (base,)


@EVERY
def test_a_row_has_one_score_in_any_batch(candidate: Candidate) -> None:
    base, x = base_of(candidate)
    whole = base.margin(x)
    for size in (1, 7, 64):
        assert (base.margin(np.ascontiguousarray(x[:size])) == whole[:size]).all()


@EVERY
def test_the_native_form_is_equal_to_the_bit(candidate: Candidate) -> None:
    base, x = base_of(candidate)
    again = base_from_native(base.native())
    assert (again.margin(x) == base.margin(x)).all()
    assert again.params() == base.params()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("candidate", [LR, SPARSE, TREES, MEAN, POOLED, BLEND])
def test_weights_of_positives_do_not_move_the_level(candidate: Candidate) -> None:
    frame = make_frame(customers=800, base=-4.0)
    capped = settings(modeling__scale_pos_weight_cap=5.0)
    pool = Pool([frame, make_frame(400, base=-4.5, seed=3, division="Beta")], capped, 7)
    found = Fitter(frame, pool).fit(candidate, JOINT, Slice(CUTOFFS))
    p = 1 / (1 + np.exp(-found.margin(frame.x)))
    assert p.mean() == pytest.approx(frame.label.mean(), abs=0.05)


def test_parameters_are_read_back_from_the_model() -> None:
    trees = base_of(TREES)[0].params()
    assert {name: trees[name] for name, _ in AXES} == dict(AXES)
    assert 1 <= trees["trees"] <= 30
    assert (trees["pooling"], base_of(POOLED)[0].params()["pooling"]) == ("own", "pooled")
    assert base_of(LR)[0].params() == {"C": 0.01, "l1_ratio": 0.0, "pooling": "own"}
    assert set(base_of(BLEND)[0].params()) == {"logreg", "lgbm"}


@pytest.mark.parametrize(
    ("kind", "axis", "values"),
    [
        ("logreg", "C", [0.0003, 0.03]),
        ("logreg", "l1_ratio", [0.0, 1.0]),
        ("logreg", "pooling", ["pooled", "own"]),
        ("logreg", "pooling", ["partial", "mean"]),
        ("lgbm", "num_leaves", [2, 15]),
        ("lgbm", "learning_rate", [0.02, 0.2]),
        ("lgbm", "min_child_samples", [5, 200]),
        ("lgbm", "feature_fraction", [0.2, 1.0]),
        ("lgbm", "pooling", ["pooled", "own"]),
    ],
)
def test_no_axis_of_a_grid_is_inert(kind: str, axis: str, values: list[object]) -> None:
    section = "lr_grid" if kind == "logreg" else "lgbm_grid"
    flags = {f"modeling__{section}__{axis}": values}
    if kind == "logreg" and axis == "l1_ratio":
        flags["modeling__lr_grid__C"] = [0.001]
    if kind == "logreg" and axis != "pooling":
        flags["modeling__lr_grid__pooling"] = ["own"]
    found = [one for one in grid([kind], settings(**flags), lends=True) if one != RULE]
    assert len(found) == 2
    scores = [fitted(one, **flags).margin(FRAME.x) for one in found]
    assert not np.allclose(*scores)


def test_without_other_divisions_every_candidate_is_the_divisions_own() -> None:
    found = grid(["logreg", "lgbm"], settings(), lends=False)
    assert {one.pooling for one in found if not one.parts} == {"own"}
    assert len(found) == len(set(found)) == 4  # the rule, one of each kind, their blend


def test_the_mean_is_the_mean_of_the_three() -> None:
    margins = {
        pooling: fitted(Candidate("logreg", pooling, MEAN.params)).margin(FRAME.x)
        for pooling in ("own", "partial", "pooled", "mean")
    }
    three = np.mean([margins[name] for name in ("own", "partial", "pooled")], axis=0)
    assert margins["mean"] == pytest.approx(three, abs=1e-9)


def test_sparse_regression_drops_features() -> None:
    base = fitted(Candidate("logreg", "own", (("C", 0.0005), ("l1_ratio", 1.0)))).base
    assert isinstance(base, LinearBase)
    assert (base.coef == 0).any()


def test_early_stopping_ends_before_the_last_round() -> None:
    trees = fitted(TREES, modeling__lgbm_rounds=300).base.params()["trees"]
    assert trees < 300


def test_model_pkl_is_the_native_form() -> None:
    trained = train_one(FRAME, others=[OTHER])
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
    trained = train_one(FRAME, ["logreg"], ["platt"])
    table = pandas.DataFrame(FRAME.x[:, ::-1], columns=list(NAMES)[::-1])
    names = list(trained.classifier.feature_names_in_)
    straight = trained.classifier.predict_proba(FRAME.x[:, [NAMES.index(name) for name in names]])
    assert (trained.classifier.predict_proba(table) == straight).all()
    with pytest.raises(ValueError, match="takes"):
        trained.classifier.predict_proba(FRAME.x[:, :2])


def test_each_cohort_is_scored_by_its_head() -> None:
    def head(cohort: str, intercept: float) -> Head:
        one, nothing = np.ones(1), np.zeros(1)
        base = LinearBase(nothing, one, nothing, nothing, intercept, 1.0, 0.0, "own")
        return Head(cohort, (0,), base, Calibrator("none"), ValueModel(100.0 + intercept))

    classifier = DivisionClassifier(
        "Alpha", [OWNED_SOURCE], 0, [head("owned", 2.0), head("never_owned", -2.0)]
    )
    x = np.array([[3.0], [0.0]], dtype=np.float32)
    assert classifier.predict(x).tolist() == [1, 0]
    assert classifier.deal_value(x).tolist() == [102.0, 98.0]


def test_monotone_trees_only_rise_with_affinity() -> None:
    """Labels fall where affinity is high: free trees learn that, held ones do not."""
    frame = make_frame(signal=0.0, base=0.0, seed=5)
    names = list(frame.names)
    place = names.index("rfm__all__gp_sum__12m")
    names[place] = "affinity__div__lift_max__24m"
    object.__setattr__(frame, "names", tuple(names))
    value = np.linspace(0.0, 3.0, len(frame.label)).astype(np.float32)
    frame.x[:, place] = np.random.default_rng(0).permutation(value)
    noise = np.random.default_rng(1).random(len(value))
    object.__setattr__(frame, "label", (noise < np.where(frame.x[:, place] > 1.5, 0.2, 0.7)) * 1.0)

    def slopes(held: bool) -> np.ndarray:
        candidate = Candidate("lgbm", "own", (*AXES, *((("monotone", 1.0),) if held else ())))
        fit = Fitter(frame, Pool([frame], settings(), 7)).fit(candidate, JOINT, Slice(CUTOFFS))
        rows = np.repeat(frame.x[:1], 50, axis=0)
        rows[:, place] = np.linspace(0.0, 3.0, 50)
        return np.diff(fit.margin(rows))

    assert slopes(held=False).min() < 0
    assert slopes(held=True).min() >= 0


def test_a_switch_that_is_off_has_no_place_in_a_name() -> None:
    both = grid(["lgbm"], settings(modeling__lgbm_grid__monotone=[False, True]), lends=False)
    assert len(both) == 3
    assert ["monotone" in candidate.name for candidate in both] == [False, False, True]
