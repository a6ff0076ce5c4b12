"""The truth is true, learnable but not trivial, and absent where it should be."""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gosales.samples.catalog import DIVISIONS
from gosales.samples.demand import CUTOFFS, Purchases, Truth, simulate_demand
from gosales.samples.spec import SimulationSpec, month_index
from gosales.samples.world import Customers, draw_customers

NAMES = [d.name for d in DIVISIONS]
World = tuple[Customers, Purchases, list[Truth]]


def _world(**spec: object) -> World:
    made = SimulationSpec(customers=12_000, **spec)  # type: ignore[arg-type]
    customers = draw_customers(made)
    return customers, *simulate_demand(made, customers, 0)


@pytest.fixture(scope="module")
def world() -> World:
    return _world()


@pytest.fixture(scope="module")
def noise() -> World:
    return _world(signal=0.0)


@pytest.fixture(scope="module")
def shifted() -> World:
    return _world(shift=dt.date(2023, 6, 15))


def _pooled(truths: list[Truth], division: int, owned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Chance and outcome of never-owners or owners of a division, over all cutoffs."""
    masks = [truth.owned[:, division] == owned for truth in truths]
    chance = [t.probability[m, division] for t, m in zip(truths, masks, strict=True)]
    bought = [t.bought[m, division] for t, m in zip(truths, masks, strict=True)]
    return np.concatenate(chance), np.concatenate(bought)


@pytest.mark.parametrize("name", ["world", "noise", "shifted"])
def test_truth_is_calibrated(name: str, request: pytest.FixtureRequest) -> None:
    """Realised purchases agree with their chances, a division, cohort and cutoff at a time."""
    _, _, truths = request.getfixturevalue(name)
    errors = []
    for truth in truths:
        for division in range(len(NAMES)):
            for owned in (False, True):
                chance, bought = _pooled([truth], division, owned)
                spread = np.sqrt((chance * (1 - chance)).sum())
                if spread > 2:
                    errors.append((bought.sum() - chance.sum()) / spread)
    assert len(errors) > 100
    assert np.abs(errors).max() < 4.5
    assert 0.8 < np.std(errors) < 1.2
    assert abs(np.mean(errors)) < 0.3


def test_truth_is_calibrated_at_every_level(world: World) -> None:
    chance = np.concatenate([t.probability.ravel() for t in world[2][::2]])
    bought = np.concatenate([t.bought.ravel() for t in world[2][::2]])
    for part in np.array_split(np.argsort(chance), 20):
        spread = np.sqrt((chance[part] * (1 - chance[part])).sum())
        assert abs(bought[part].sum() - chance[part].sum()) <= 4.5 * spread


def test_whitespace_is_learnable_but_not_trivial(world: World) -> None:
    aucs = []
    for division in range(len(NAMES)):
        chance, bought = _pooled(world[2], division, owned=False)
        assert 0.02 <= bought.mean() <= 0.105, NAMES[division]
        aucs.append(roc_auc_score(bought, chance))
    assert 0.76 <= np.mean(aucs) <= 0.84
    assert min(aucs) > 0.70
    assert max(aucs) < 0.90


def test_default_size_is_in_the_band() -> None:
    spec = SimulationSpec()
    _, truths = simulate_demand(spec, draw_customers(spec), 0)
    pooled = [_pooled(truths, division, owned=False) for division in range(len(NAMES))]
    aucs = [roc_auc_score(bought, chance) for chance, bought in pooled if bought.sum() >= 30]
    assert len(aucs) >= 10
    assert 0.75 <= np.mean(aucs) <= 0.85


def _history(purchases: Purchases, customers: int, month: int) -> Iterator[np.ndarray]:
    """Purchases so far and the month of the last one, a customer."""
    past = purchases.month <= month
    yield np.bincount(purchases.customer[past], minlength=customers)
    last = np.full(customers, -1)
    np.maximum.at(last, purchases.customer[past], purchases.month[past])
    yield last


def test_without_signal_nothing_predicts(noise: World) -> None:
    customers, purchases, truths = noise
    for division in range(len(NAMES)):
        chance, bought = _pooled(truths, division, owned=False)
        assert np.ptp(chance) < 1e-12
        assert roc_auc_score(bought, chance) == pytest.approx(0.5)
    aucs = []
    for truth in truths[::2]:
        month = month_index(truth.cutoff)
        for measure in _history(purchases, len(customers), month):
            for division in range(len(NAMES)):
                aucs.append(roc_auc_score(truth.bought[:, division], measure[truth.customer]))
    assert abs(np.mean(aucs) - 0.5) < 0.01
    assert np.abs(np.array(aucs) - 0.5).max() < 0.06


def test_with_signal_history_predicts(world: World) -> None:
    customers, purchases, truths = world
    truth = truths[-1]
    count, last = _history(purchases, len(customers), month_index(truth.cutoff))
    any_new = (truth.bought & ~truth.owned).any(axis=1)
    assert roc_auc_score(any_new, count[truth.customer]) > 0.58
    assert roc_auc_score(any_new, last[truth.customer]) > 0.58


def test_the_blend_lies_between(world: World) -> None:
    _, _, truths = _world(signal=0.5)
    aucs = []
    for division in range(len(NAMES)):
        chance, bought = _pooled(truths, division, owned=False)
        aucs.append(roc_auc_score(bought, chance))
    assert 0.55 < np.mean(aucs) < 0.75


def test_a_launch_has_no_earlier_sales(world: World) -> None:
    _, purchases, truths = world
    scanning = NAMES.index("Scanning")
    assert purchases.month[purchases.division == scanning].min() >= month_index(dt.date(2023, 7, 1))
    assert truths[0].probability[:, scanning].max() == 0  # its window ends on 2023-06-30
    assert truths[1].probability[:, scanning].max() > 0


def test_renewals_come_after_a_year(world: World) -> None:
    _, purchases, _ = world
    for name in ("Success Plan", "CAMWorks"):
        chosen = np.flatnonzero(purchases.division == NAMES.index(name))
        order = chosen[np.lexsort((purchases.month[chosen], purchases.customer[chosen]))]
        same = np.diff(purchases.customer[order]) == 0
        gaps = np.diff(purchases.month[order].astype(int))[same]
        assert np.median(gaps) == 12
        assert np.isin(gaps, (11, 12, 13, 14)).mean() > 0.75


def test_customers_arrive_and_leave(world: World) -> None:
    customers, purchases, truths = world
    known = [len(t.customer) for t in truths]
    assert known == sorted(known)
    assert known[-1] > 1.15 * known[0]
    gone = (truths[-1].probability.max(axis=1) == 0).mean()
    assert 0.15 < gone < 0.40
    first = np.full(len(customers), 999)
    np.minimum.at(first, purchases.customer, purchases.month.astype(int))
    assert (first == customers.arrival).all()


def test_ownership_leads_on(world: World) -> None:
    """Who owns hardware buys post-processing rather than who does not."""
    truth = world[2][3]
    fresh = ~truth.owned[:, NAMES.index("Post Processing")]
    owns = truth.owned[:, NAMES.index("Hardware")]
    bought = truth.bought[:, NAMES.index("Post Processing")]
    assert bought[fresh & owns].mean() > 2 * bought[fresh & ~owns].mean()


def test_activity_has_a_heavy_tail(world: World) -> None:
    customers, purchases, _ = world
    count = np.sort(np.bincount(purchases.customer, minlength=len(customers)))[::-1]
    assert count[: len(count) // 10].sum() > 0.25 * count.sum()


def test_seasons_peak_at_quarter_and_year_end(world: World) -> None:
    _, purchases, _ = world
    late = purchases.month[purchases.month >= 24] % 12
    count = np.bincount(late, minlength=12)
    assert count.argmax() == 11
    assert min(count[[2, 5, 8]]) > max(count[[0, 1, 3, 4, 6, 7]])


def test_shift_changes_demand_and_mix(world: World, shifted: World) -> None:
    """The same before the shift; less, and more of printing, after it."""
    start = month_index(dt.date(2023, 7, 1))

    def counts(world: World, late: bool) -> np.ndarray:
        chosen = (world[1].month >= start) == late
        return np.bincount(world[1].division[chosen], minlength=len(NAMES))

    assert (counts(world, False) == counts(shifted, False)).all()
    before, after = counts(world, True), counts(shifted, True)
    assert after.sum() < 0.9 * before.sum()
    ratio = (after / after.sum()) / (before / before.sum())
    assert ratio[NAMES.index("Hardware")] > 1.2
    assert ratio[NAMES.index("Services")] < 0.8


def test_cutoffs_are_quarter_ends_with_closed_windows() -> None:
    assert CUTOFFS[0] == dt.date(2022, 12, 31)
    assert CUTOFFS[-1] == dt.date(2024, 6, 30)
    assert len(CUTOFFS) == 7
