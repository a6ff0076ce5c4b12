from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gosales.models.candidates import RULE, Candidate, grid
from gosales.models.card import metrics
from gosales.models.fitting import Fitter
from gosales.models.jury import Jury, own_jury
from gosales.models.pool import Pool
from gosales.models.protocol import Rules
from gosales.models.search import firmer_one, shortlist
from gosales.models.slices import NEVER_OWNED, Slice
from tests.models.worlds import CUTOFFS, make_frame, settings, train_one

FRAME = make_frame(400)
WIDE: dict[str, Any] = {"modeling__lr_grid__C": [1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]}


def jury_of(frame: Any = FRAME, **flags: Any) -> tuple[Jury, Any, list[Candidate]]:
    chosen = settings(**flags)
    fitter = Fitter.of(frame, Pool([frame], chosen, 1))
    jury = own_jury(fitter, NEVER_OWNED, Slice(CUTOFFS), Rules(3, 0, 3, 1))
    assert jury is not None and jury.folds == 3
    return jury, chosen, grid(["logreg"], chosen, lends=False)


def test_halving_tries_fewer_and_keeps_what_wins() -> None:
    jury, chosen, candidates = jury_of(modeling__search="halving", **WIDE)
    tried, dropped = shortlist(jury, candidates, chosen)
    assert RULE in tried and len(tried) < len(candidates)
    assert {t.candidate for t in dropped} | set(tried) == set(candidates)
    # What was dropped was judged on fewer cutoffs, at first on the newest alone.
    assert {len(trial.by_cutoff) for trial in dropped} <= {1, 2}
    assert dropped[0].by_cutoff[-1]["cutoff"] == str(CUTOFFS[-1])
    best = max(jury.trial(one).auc for one in candidates if one != RULE)
    assert max(jury.trial(one).auc for one in tried if one != RULE) > best - 0.02


def test_a_grid_is_tried_whole_within_its_budget() -> None:
    jury, chosen, candidates = jury_of(**WIDE)
    assert shortlist(jury, candidates, chosen) == (candidates, [])
    jury, chosen, candidates = jury_of(modeling__search_trials=3, **WIDE)
    assert shortlist(jury, candidates, chosen)[0] == candidates[:3]


def test_the_search_is_logged_candidate_by_candidate() -> None:
    chosen = settings(modeling__search="halving", **WIDE)
    trained = train_one(FRAME, ["logreg"], modeling=chosen)
    for head in metrics(FRAME, trained, chosen, 1)["selection"]["heads"]:
        names = [row["candidate"] for row in (*head["candidates"], *head["dropped"])]
        assert len(names) == len(set(names)) == 8


def test_what_overfits_is_shrunk_more_where_that_does_as_well() -> None:
    """Sixty columns of noise: a loose fit remembers its rows, a firm one cannot."""
    frame = make_frame(150, signal=0.4)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(len(frame.label), 60)).astype(np.float32)
    object.__setattr__(frame, "x", np.hstack([frame.x, noise]))
    names = (*frame.names, *(f"rfm__all__noise_{n}__12m" for n in range(60)))
    object.__setattr__(frame, "names", names)
    jury, _, (_, loose, *_) = jury_of(frame, modeling__lr_grid__C=[3.0])
    trial = jury.trial(loose)
    firm = firmer_one(jury, trial, 0.1)
    assert jury.gap(loose) > 0.1
    assert firm.candidate == loose.firmer()
    assert jury.gap(firm.candidate) < jury.gap(loose)
    assert firmer_one(jury, trial, 0.99) is trial


@pytest.mark.parametrize("others", [[], [make_frame(300, seed=2, division="Beta")]])
def test_baselines_stand_beside_the_model(others: list[Any]) -> None:
    trained = train_one(FRAME, ["logreg"], others=others)
    figures = metrics(FRAME, trained, settings(), 1)
    found = figures["baselines"]
    pooled = {"pooled"} if others else set()
    assert set(found) == {"prevalence", "recency_frequency", "expected_rate"} | pooled
    for name in pooled | {"recency_frequency"}:
        whitespace = found[name]["expansion"]["auc"]
        assert 0.5 < whitespace <= figures["cohorts"]["expansion"]["auc"] + 0.05
