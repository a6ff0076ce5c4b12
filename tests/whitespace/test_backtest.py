"""Lists of an earlier cutoff: nothing later than it may have a say in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from gosales.config import load_settings
from gosales.run import open_run
from gosales.whitespace import rank_whitespace
from gosales.whitespace.backtest import backtest_scores, earlier_cutoffs
from gosales.whitespace.learned import fit_weights
from gosales.whitespace.ranking import Pairs
from gosales.whitespace.signals import signals
from gosales.workspace import Workspace
from tests.conftest import write_star
from tests.models.worlds import FLAGS, read_json, sales
from tests.whitespace.lists import LAST

EARLIER = dt.date(2023, 9, 30)
LIGHT = FLAGS | {"modeling.models": ["logreg"], "modeling.max_cutoffs": 2}


def opened(workspace: Workspace, **flags: Any) -> Any:
    return open_run(workspace, load_settings(workspace.root, flags=LIGHT | flags), "test")


def test_scores_of_an_earlier_cutoff_do_not_know_what_came_later(tmp_path) -> None:
    told = []
    for name, rows in (
        ("whole", sales(120)),
        ("cut", [row for row in sales(120) if row["order_date"] <= EARLIER]),
    ):
        workspace = Workspace(tmp_path / name)
        with opened(workspace) as run:
            write_star(run, rows)
            table = pq.read_table(backtest_scores(run, EARLIER))
            told.append(table.drop_columns(["customer_name"]).to_pylist())
            assert not workspace.models.exists()
    assert told[0] and told[0] == told[1]


def test_learned_weights_and_the_list_of_an_earlier_cutoff(copied: Workspace) -> None:
    current = ["whitespace.csv", "icp_scores.csv", "whitespace_ledger.parquet"]
    models = sorted((p, p.read_bytes()) for p in copied.models.rglob("*") if p.is_file())
    with opened(copied, **{"whitespace.weights": "learned"}) as run:
        assert earlier_cutoffs(run, LAST, 2) == [EARLIER, dt.date(2023, 6, 30)]
        rank_whitespace(run)
    metrics = read_json(copied.output(f"whitespace_metrics_{LAST}.json"))
    assert metrics["weights"]["learned_at"] == [str(EARLIER), "2023-06-30"]
    assert sum(metrics["weights"]["used"].values()) == pytest.approx(1)

    before = [copied.output(name).read_bytes() for name in current]
    scored = copied.output(f"backtest/scores_{EARLIER}.parquet").stat().st_mtime_ns
    with opened(copied, **{"whitespace.capacity_percents": [50, 100]}) as run:
        report = rank_whitespace(run, EARLIER)
        assert report.cutoff == EARLIER and not report.hindsight
    told = read_json(copied.output(f"whitespace_metrics_{EARLIER}.json"))
    assert told["performance"]["shown"] and not told["in_sample"]
    half, whole = told["performance"]["captured"]
    assert half["buyers"] <= whole["buyers"] and whole["share_of_buyers"] == 1
    # The current list, its memory and the models are as they were; scores are made once.
    assert [copied.output(name).read_bytes() for name in current] == before
    after = sorted((p, p.read_bytes()) for p in copied.models.rglob("*") if p.is_file())
    assert after == models
    assert copied.output(f"backtest/scores_{EARLIER}.parquet").stat().st_mtime_ns == scored


def past(telling: str) -> tuple[Pairs, Any, Any]:
    """Pairs whose buyers are those with the highest value of one signal."""
    rng = np.random.default_rng(4)
    n = 400
    columns = {name: rng.random(n) for name in ("probability", "worth", "similarity")}
    empty = np.full(n, np.nan)
    numbers = np.zeros(n, dtype=np.int64)
    found = signals(
        columns["probability"], columns["worth"], empty, empty, columns["similarity"], numbers,
        "pooled",
    )  # fmt: skip
    pairs = Pairs(
        None, ("Alpha",), numbers, np.arange(n), columns["worth"], columns["probability"], {}, found
    )
    label = (columns[telling] > 0.9).astype(float)
    return pairs, label, label * 10


@pytest.mark.parametrize(
    ("telling", "signal"),
    [("probability", "probability"), ("worth", "expected_gp"), ("similarity", "similarity")],
)
def test_the_signal_that_told_gets_the_weight(telling: str, signal: str) -> None:
    weights = fit_weights([past(telling)])
    assert max(weights, key=lambda name: weights[name]) == signal
    assert weights[signal] >= 0.5
    assert weights["affinity"] == 0
    assert weights == fit_weights([past(telling)])
