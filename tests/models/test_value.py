from __future__ import annotations

import json

import numpy as np
import pytest

from gosales.models.fitting import Fitter
from gosales.models.pool import Pool
from gosales.models.slices import JOINT, NEVER_OWNED, OWNED, Slice
from gosales.models.value import FAR, TENURE, ValueModel, fit_value
from gosales.models.worth import value_figures
from gosales.months import add_months
from tests.models.worlds import CUTOFFS, make_frame, settings, train_one

TARGET = add_months(CUTOFFS[-1], 3)


def priced(follows: bool) -> Fitter:
    """A frame whose purchases are worth what the customer's orders were worth, or anything."""
    frame = make_frame(400)
    rng = np.random.default_rng(3)
    names = list(frame.names)
    names[3] = "rfm__all__gp_mean__12m"
    spend = np.nan_to_num(frame.x[:, 3]).astype(float)
    worth = (spend if follows else rng.lognormal(6, 1, len(spend))) * rng.lognormal(
        0, 0.3, len(spend)
    )
    object.__setattr__(frame, "names", tuple(names))
    object.__setattr__(frame, "gp", frame.label * np.maximum(worth, 1.0))
    return Fitter(frame, Pool([frame], settings(), 1))


def test_value_follows_what_orders_were_worth() -> None:
    fitter = priced(True)
    model = fit_value(fitter, OWNED, Slice(CUTOFFS), TARGET)
    frame = fitter.frame
    assert model.columns
    buyers = (frame.label > 0) & frame.owned
    worth = model.worth(frame.x[buyers])
    assert np.corrcoef(np.log(worth), np.log(frame.gp[buyers]))[0, 1] > 0.6
    cap = np.quantile(frame.gp[buyers], settings().value_cap_quantile)
    brought = np.minimum(frame.gp[buyers], FAR * cap).sum()
    beyond = brought / np.minimum(frame.gp[buyers], cap).sum()
    assert worth.sum() == pytest.approx(brought, rel=0.1)
    assert beyond > 1.02 and worth.max() <= beyond * cap + 1e-6


def test_first_purchases_are_learnt_from_other_divisions() -> None:
    """A division with a handful of buyers knows whose purchases will be dear, and its own level."""
    large = priced(True).frame
    few = priced(True).frame
    bought = np.flatnonzero((few.label > 0) & ~few.owned)
    object.__setattr__(few, "label", np.isin(np.arange(len(few.label)), bought[:12]) * 1.0)
    object.__setattr__(few, "gp", few.gp * 10)
    object.__setattr__(few, "division", "Few")
    fitter = Fitter(few, Pool([few, large], settings(), 1))
    model = fit_value(fitter, NEVER_OWNED, Slice(CUTOFFS), TARGET)
    unseen = bought[12:]
    worth = model.worth(few.x[unseen])
    assert np.corrcoef(np.log(worth), np.log(few.gp[unseen]))[0, 1] > 0.6
    assert 0.5 < worth.sum() / few.gp[unseen].sum() < 1.5


def test_the_level_of_worth_is_that_of_the_newest_window() -> None:
    steady, falling = priced(False), priced(False)
    last = falling.frame.cutoff == len(CUTOFFS) - 1
    object.__setattr__(falling.frame, "gp", np.where(last, 0.25, 1.0) * falling.frame.gp)
    some = steady.frame.x[~steady.frame.owned]
    before, after = (
        fit_value(one, NEVER_OWNED, Slice(CUTOFFS), TARGET).worth(some).mean()
        for one in (steady, falling)
    )
    assert 0.25 * before < after < 0.6 * before


def test_worths_that_nothing_foretells_take_the_mean() -> None:
    fitter = priced(False)
    model = fit_value(fitter, JOINT, Slice(CUTOFFS), TARGET)
    worth = model.worth(fitter.frame.x)
    # Whatever it uses, it may not stray from the mean for nothing.
    assert np.std(worth) < 0.35 * np.mean(worth)


def test_the_native_form_is_equal_to_the_bit() -> None:
    fitter = priced(True)
    model = fit_value(fitter, JOINT, Slice(CUTOFFS), TARGET)
    again = ValueModel.from_native(json.loads(json.dumps(model.native())))
    assert again == model
    assert (again.worth(fitter.frame.x) == model.worth(fitter.frame.x)).all()


def test_expected_profit_is_held_against_what_came() -> None:
    frame = make_frame(400)
    trained = train_one(frame, ["logreg"])
    found = value_figures(frame, trained.judged, 60, 1)["all"]
    rows = trained.judged.rows
    assert found["realised_gp"] == pytest.approx(frame.gp[rows][frame.label[rows] > 0].sum())
    assert found["expected_gp"] == pytest.approx((trained.judged.p * trained.judged.worth).sum())
    low, high = found["ratio_interval"]
    assert low <= found["ratio"] <= high
    assert 0.6 < found["ratio"] < 1.7


def test_a_new_division_is_worth_what_its_launch_brought() -> None:
    """The first purchases tell the price, though not how many will follow."""
    others = [make_frame(300, seed=seed, division=f"Other {seed}") for seed in (2, 3)]
    new = make_frame(300, seed=6, division="New")
    for name in ("x", "customers", "code", "cutoff", "label", "gp", "owned"):
        object.__setattr__(new, name, getattr(new, name)[:0])
    typical = train_one(new, ["logreg"], others=others).classifier.heads[0].value.mean
    object.__setattr__(new, "launch", tuple((new.cutoffs[-1], 7.0) for _ in range(30)))
    launched = train_one(new, ["logreg"], others=others).classifier.heads[0].value.mean
    assert typical > 100
    assert 7.0 < launched < 10.0  # not shrunk to the others' by more than two purchases


@pytest.mark.parametrize(("age", "windows"), [(90, {"3m"}), (200, {"6m"}), (800, {"12m"})])
def test_owners_of_a_young_log_are_not_worth_more_as_it_ages(age: int, windows: set[str]) -> None:
    """Everybody spends steadily; what a year sums up grows until the log is a year old."""
    frame = make_frame(500, owners=1.0)
    rng = np.random.default_rng(5)
    monthly = np.tile(rng.lognormal(4, 1, 500), len(CUTOFFS) + 1)
    months = np.repeat(age / 30 + 3 * np.arange(len(CUTOFFS) + 1), 500)
    names, sums = [], []
    for window, length in (("3m", 3), ("6m", 6), ("12m", 12)):
        for scope in ("all", "div"):
            names.append(f"rfm__{scope}__gp_sum__{window}")
            sums.append(monthly * np.minimum(months, length) * rng.lognormal(0, 0.1, len(monthly)))
    x = np.column_stack([frame.x[:, 0].repeat(2)[: len(monthly)], months * 30, *sums])
    rows = len(frame.label)
    object.__setattr__(frame, "names", ("rfm__div__tx_n__life", TENURE, *names))
    object.__setattr__(frame, "x", x[:rows].astype(np.float32))
    object.__setattr__(frame, "gp", frame.label * 3 * monthly[:rows])
    model = fit_value(Fitter(frame, Pool([frame], settings(), 1)), OWNED, Slice(CUTOFFS), TARGET)
    used = {frame.names[column].rsplit("__", 1)[1] for column in model.columns}
    assert used == windows
    assert model.worth(x[rows:].astype(np.float32)).sum() == pytest.approx(
        3 * monthly[rows:].sum(), rel=0.15
    )
