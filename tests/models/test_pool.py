from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gosales.models.division import Unmodelled
from gosales.models.evaluate import Ranking, measure
from gosales.models.figures import published
from gosales.models.frame import Frame
from gosales.models.pool import Pool
from gosales.models.slices import OWNED, Slice
from tests.models.worlds import CUTOFFS, make_frame, settings, train_one

BIG = make_frame(400, seed=2, division="Big")
LARGE = make_frame(400, seed=3, division="Large")


def few_buyers(positives: int) -> np.ndarray:
    """Labels that follow the frame's signal, but for so many buyers only."""
    frame = make_frame(200, seed=4)
    label = np.zeros(len(frame.label))
    drive = np.nan_to_num(frame.x[:, 2]) + np.random.default_rng(0).random(len(label))
    for place in range(len(CUTOFFS)):
        rows = np.flatnonzero(frame.cutoff == place)
        label[rows[np.argsort(-drive[rows])[: positives // len(CUTOFFS)]]] = 1
    return label


def test_a_division_with_few_buyers_borrows_and_says_so() -> None:
    small = make_frame(200, seed=4, label=few_buyers(20))
    trained = train_one(small, ["logreg"], others=[BIG, LARGE])
    assert all(head.borrowed for head in trained.heads)
    assert {one.candidate.pooling for one in trained.heads[0].trials} <= {"pooled", "own"}
    assert published(small, trained.judged, 40, 1)["auc"] > 0.7
    with pytest.raises(Unmodelled, match="min_positives"):
        train_one(small, ["logreg"])


def test_a_division_sold_only_lately_is_judged_by_what_others_knew() -> None:
    whole = make_frame(300, seed=5)
    lately = whole.cutoff >= 3
    fields = ("x", "customers", "code", "cutoff", "label", "gp", "owned")
    young = make_frame(300, seed=5)
    for name in fields:
        object.__setattr__(young, name, getattr(whole, name)[lately])
    trained = train_one(young, ["logreg", "lgbm"], others=[BIG, LARGE])
    assert trained.plan.kind in ("nested", "temporal")
    assert {young.cutoffs[place] for place in young.cutoff[trained.judged.rows]} == {CUTOFFS[3]}
    figures = published(young, trained.judged, 40, 1)
    assert figures["auc"] > 0.6
    # The level is that of the other divisions, not of a launch that nobody could know of.
    assert abs(trained.judged.p.mean() - BIG.label.mean()) < 0.2


def test_training_alone_or_with_others_gives_the_same_model() -> None:
    one = train_one(BIG, others=[LARGE])
    again = train_one(BIG, others=[LARGE])
    assert one.classifier.to_json() == again.classifier.to_json()


def test_the_pool_learns_from_the_slice_and_nobody_else() -> None:
    within = Slice(CUTOFFS[:2])
    before = Pool([BIG, LARGE], settings(), 1).rows(OWNED, within)
    altered = make_frame(400, seed=3, division="Large")
    late = altered.cutoff >= 2
    object.__setattr__(altered, "label", np.where(late, 1 - altered.label, altered.label))
    after = Pool([BIG, altered], settings(), 1).rows(OWNED, within)
    assert before is not None and after is not None
    assert (before.x == after.x).all() or np.array_equal(before.x, after.x, equal_nan=True)
    assert (before.label == after.label).all()
    assert before.cutoff.max() <= CUTOFFS[1].toordinal()


def test_thinned_rows_keep_their_rates() -> None:
    pool = Pool([BIG, LARGE], settings(modeling__pool_rows=1000), 1)
    rows = pool.rows(OWNED, Slice(CUTOFFS))
    assert rows is not None and len(rows.label) < 1100
    owned = np.concatenate([frame.label[frame.owned] for frame in (BIG, LARGE)])
    rate = (rows.weight * rows.label).sum() / rows.weight.sum()
    assert rate == pytest.approx(owned.mean(), abs=0.01)
    assert rows.weight.sum() == pytest.approx(len(owned), rel=0.01)


def test_a_target_far_ahead_is_no_error() -> None:
    pool = Pool([BIG], settings(), 1)
    from gosales.models.division import train_division

    trained = train_division(BIG, pool, ["logreg"], ["platt"], dt.date(2030, 1, 31))
    assert trained.heads


def without_rows(division: str) -> Frame:
    """A division launched after the last cutoff whose label window has closed."""
    frame = make_frame(300, seed=6, division=division)
    for name in ("x", "customers", "code", "cutoff", "label", "gp", "owned"):
        object.__setattr__(frame, name, getattr(frame, name)[:0])
    return frame


def test_a_division_without_a_closed_window_borrows_and_shows_no_figure_of_its_own() -> None:
    new = without_rows("New")
    trained = train_one(new, others=[BIG, LARGE])
    assert trained.plan.kind == "borrowed"
    assert all(head.borrowed for head in trained.heads)
    figures = published(new, trained.judged, 40, 1)
    assert figures["auc"] is None and figures["cohorts"]["expansion"]["rows"] == 0
    # It ranks the customers of a division like the others, at the level of the others.
    fresh = make_frame(300, seed=7, division="New")
    places = [fresh.names.index(name) for name in trained.classifier.feature_names_in_]
    p = trained.classifier.probability(fresh.x[:, places])
    ranked = Ranking.of(p, fresh.label, fresh.gp, 0.5)
    assert measure(ranked)["auc"][0] > 0.7
    assert abs(p.mean() - BIG.label.mean()) < 0.1


def test_a_division_that_is_sold_no_more_is_not_modelled() -> None:
    gone = make_frame(300, seed=6, label=np.zeros(1200), division="Gone")
    with pytest.raises(Unmodelled, match="nothing says that anybody will buy again"):
        train_one(gone, others=[BIG, LARGE])


def test_few_buyers_lower_the_level_that_is_borrowed() -> None:
    label = np.zeros(1200)
    label[[5, 400, 700]] = 1
    rare = make_frame(300, seed=6, label=label, division="Rare")
    trained = train_one(rare, others=[BIG, LARGE])
    places = [rare.names.index(name) for name in trained.classifier.feature_names_in_]
    p = trained.classifier.probability(rare.x[:, places])
    assert all(head.borrowed for head in trained.heads)
    assert p.mean() < 0.1 < BIG.label.mean()


def test_knowing_which_division_sells_most_is_no_lead_over_the_rule() -> None:
    """On noise, a pooled model tells divisions apart, and nobody within them."""
    levels = (-3.0, -2.0, -1.0, 0.0)
    noise = [
        make_frame(400, signal=0, base=base, seed=20 + n, division=f"Noise {n}")
        for n, base in enumerate(levels)
    ]
    shipped = [
        head.beats_rule
        for n, frame in enumerate(noise)
        for head in train_one(frame, ["logreg"], others=noise[:n] + noise[n + 1 :]).heads
    ]
    assert set(shipped) == {"no"}
