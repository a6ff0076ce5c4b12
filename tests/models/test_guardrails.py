from __future__ import annotations

import numpy as np
import pytest

from gosales.models.division import Unmodelled
from gosales.models.guardrails import feature_auc, screen
from tests.models.worlds import make_frame, settings, train_one


def test_screen_lists_what_it_leaves_out() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(300) < 0.4).astype(float)
    useful = rng.random(300)
    holes = np.where(useful < 0.5, np.nan, 1.0)
    x = np.column_stack(
        [useful, np.full(300, 7.0), useful, label + 0.001 * useful, useful**2, holes,
         np.full(300, np.nan)]
    )  # fmt: skip
    names = [
        "a__all__x__12m", "b__all__x__12m", "c__all__x__12m", "d__all__x__12m",
        "target_gp", "e__all__x__12m", "f__all__x__12m",
    ]  # fmt: skip
    found = screen(x, label, names, 0.99)
    assert found.keep.tolist() == [0, 5]
    assert found.constant == ("b__all__x__12m", "f__all__x__12m")
    assert found.duplicate == (("c__all__x__12m", "a__all__x__12m"),)
    assert found.leak_by_auc == ("d__all__x__12m",)
    assert found.leak_by_name == ("target_gp",)


@pytest.mark.parametrize(
    "name", ["label", "is_renewal_like", "bought_in_division", "rfm__div__future__3m", "next_order"]
)
def test_names_of_answers_are_refused(name: str) -> None:
    rng = np.random.default_rng(0)
    found = screen(rng.random((50, 1)), np.arange(50) % 2.0, [name], 0.99)
    assert found.leak_by_name == (name,)


def test_our_own_features_have_innocent_names() -> None:
    from gosales.features import features_of

    names = [f.name for f in features_of({"success_plan": "Success Plan"})]
    x = np.random.default_rng(0).random((50, len(names)))
    assert screen(x, np.arange(50) % 2.0, names, 0.99).leak_by_name == ()


def test_feature_auc_ranks_nulls_lowest_and_takes_either_direction() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0])
    assert feature_auc(np.array([np.nan, 1.0, 2.0, 3.0]), label) == 1.0
    assert feature_auc(np.array([4.0, 3.0, 2.0, np.nan]), label) == 1.0
    assert feature_auc(np.ones(4), label) == 0.5


def test_a_feature_that_is_the_answer_is_dropped_and_said() -> None:
    frame = make_frame(customers=150)
    leaky = frame.x.copy()
    leaky[:, 3] = frame.label * 100 + leaky[:, 3] / 1e6
    spoilt = make_frame(customers=150)
    object.__setattr__(spoilt, "x", leaky)
    trained = train_one(spoilt, ["logreg"])
    for head in trained.heads:
        assert head.screened.leak_by_auc == ("rfm__all__gp_sum__12m",)
    assert "rfm__all__gp_sum__12m" not in trained.classifier.feature_names_in_


@pytest.mark.parametrize("positives", [0, 3])
def test_too_few_positives(positives: int) -> None:
    label = np.zeros(4 * 150)
    label[:positives] = 1
    with pytest.raises(Unmodelled, match=f"{positives} positive labels.*min_positives = 30"):
        train_one(make_frame(150, label=label))


def test_no_customers_at_all() -> None:
    frame = make_frame(60)
    for name in ("x", "customers", "code", "cutoff", "label", "gp", "owned"):
        object.__setattr__(frame, name, getattr(frame, name)[:0])
    with pytest.raises(Unmodelled, match=r"0 positive labels.*min_positives = 30"):
        train_one(frame)


def test_constant_labels() -> None:
    with pytest.raises(Unmodelled, match="every customer bought"):
        train_one(make_frame(100, label=np.ones(400)))


def test_positives_too_few_to_fit_and_judge() -> None:
    label = np.zeros(4 * 60)
    label[180:186] = 1
    with pytest.raises(Unmodelled, match="6 positive labels are too few or too unevenly spread"):
        train_one(make_frame(60, label=label), modeling=settings(modeling__min_positives=5))


def test_positives_in_the_last_cutoff_only_are_judged_by_customers() -> None:
    label = np.zeros(4 * 200)
    label[600:700] = 1
    trained = train_one(make_frame(200, label=label), ["logreg"])
    assert trained.plan.kind == "customer"


def test_a_fold_with_one_class_is_left_out_of_the_protocol() -> None:
    frame = make_frame(200)
    label = frame.label.copy()
    label[frame.cutoff == 0] = 0
    trained = train_one(make_frame(200, label=label), ["logreg"])
    # The second cutoff could only be judged by a model of the first, which has no positives.
    assert trained.plan.kind in ("temporal", "nested")
    assert 1 not in set(frame.cutoff[trained.judged.rows].tolist())


def test_a_classifier_without_any_feature_to_learn_from_is_degenerate() -> None:
    frame = make_frame(150)
    flat = np.ones_like(frame.x)
    flat[:, 0] = frame.owned
    object.__setattr__(frame, "x", flat)
    with pytest.raises(Unmodelled, match="degenerate"):
        train_one(frame, ["logreg"])


def test_a_joint_model_serves_where_one_cohort_is_too_small() -> None:
    frame = make_frame(200, owners=0.05)
    trained = train_one(frame, ["logreg"], modeling=settings(modeling__min_positives=60))
    assert [head.head.cohort for head in trained.heads] == ["joint"]
    assert len(train_one(make_frame(200), ["logreg"]).heads) == 2
