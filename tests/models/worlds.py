"""Frames and workspaces that the tests of models, scoring and whitespace share."""

from __future__ import annotations

import atexit
import datetime as dt
import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from gosales.config import load_settings
from gosales.models import train
from gosales.models.division import Trained, train_division
from gosales.models.frame import OWNED_SOURCE, Frame
from gosales.models.pool import Pool
from gosales.months import add_months
from gosales.run import open_run
from gosales.scoring import score
from gosales.settings import ModelingSettings
from gosales.whitespace import rank_whitespace
from gosales.workspace import Workspace
from tests.conftest import fact, write_star

CUTOFFS = tuple(add_months(dt.date(2022, 12, 31), 3 * n) for n in range(4))
FAST: dict[str, Any] = {
    "modeling.bootstrap": 40,
    "modeling.lgbm_rounds": 30,
    "modeling.folds": 3,
    "modeling.lgbm_grid.min_child_samples": [10],
    "modeling.shap_sample_rows": 20,
}
NAMES = (
    OWNED_SOURCE,
    "rfm__div__tx_n__12m",
    "rfm__all__tx_n__12m",
    "rfm__all__gp_sum__12m",
    "rfm__all__recency_days__life",
    "lifecycle__all__tenure_days__life",
)


def settings(**flags: Any) -> ModelingSettings:
    dotted = {key.replace("__", "."): value for key, value in flags.items()}
    return load_settings(Path("/nowhere"), flags=FAST | dotted).settings.modeling


def make_frame(
    customers: int = 300,
    cutoffs: tuple[dt.date, ...] = CUTOFFS,
    window_months: int = 3,
    signal: float = 1.5,
    base: float = -1.5,
    owners: float = 0.4,
    seed: int = 1,
    label: Any = None,
    division: str = "Alpha",
) -> Frame:
    """Customers whose orders and spend raise their odds by ``signal`` a spread."""
    rng = np.random.default_rng(seed)
    n = customers * len(cutoffs)
    owned = np.tile(rng.random(customers) < owners, len(cutoffs))
    orders = rng.poisson(4, n).astype(float)
    spend = rng.lognormal(6, 1, n) * (orders > 0)
    recency = rng.integers(0, 400, n).astype(float)
    recency[orders == 0] = np.nan
    own_orders = np.where(owned, 1.0 + rng.poisson(2, n), 0.0)
    x = np.column_stack([own_orders, own_orders, orders, spend, recency, rng.random(n) * 900])
    x[:, 1] = np.where(owned, rng.poisson(1, n), 0.0)
    drive = (np.log1p(orders) - 1.5) / 0.5 + 0.5 * own_orders
    odds = base + signal * drive
    bought = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    code = np.tile(np.arange(customers), len(cutoffs))
    return Frame(
        division=division,
        window_months=window_months,
        names=NAMES,
        types=dict.fromkeys(NAMES, "double"),
        x=x.astype(np.float32),
        customers=np.array([f"c{number:05d}" for number in code], dtype=object),
        code=code,
        cutoffs=cutoffs,
        cutoff=np.repeat(np.arange(len(cutoffs)), customers),
        label=bought if label is None else np.asarray(label, dtype=float),
        gp=rng.lognormal(5, 1, n) * (bought if label is None else label),
        owned=owned,
        left_out={"censored": 0, "new_logo": 0, "before_launch": 0},
    )


def train_one(
    frame: Frame,
    models: Sequence[str] = ("logreg", "lgbm"),
    calibration: Sequence[str] = ("platt", "isotonic"),
    modeling: ModelingSettings | None = None,
    seed: int = 1,
    others: Sequence[Frame] = (),
) -> Trained:
    """Train the frame's division in a pool with the others."""
    pool = Pool([frame, *others], modeling or settings(), seed)
    return train_division(frame, pool, models, calibration, add_months(frame.cutoffs[-1], 3))


def sales(customers: int = 220, seed: int = 3) -> list[dict[str, Any]]:
    """Three years of orders: Alpha by rhythm, Beta after Alpha, Tiny almost never, Gone never
    since 2021, Fresh since last month.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    first, last = dt.date(2021, 1, 5), dt.date(2023, 12, 31)
    days = (last - first).days
    for number in range(customers):
        name = f"C{number:04d}"
        rate = float(rng.gamma(1.2, 1.0)) + 0.15
        orders = int(rng.poisson(rate * 7)) + 1
        likes_beta = rng.random() < 0.5
        when = np.sort(rng.integers(0, days, orders))
        for place, offset in enumerate(when):
            day = first + dt.timedelta(days=int(offset))
            rows.append(fact(name, day, "Alpha", round(float(rng.lognormal(6, 0.7)), 2)))
            if likes_beta and place > 1 and rng.random() < 0.4:
                rows.append(fact(name, day, "Beta", round(float(rng.lognormal(7, 0.7)), 2)))
    rows += [fact(f"C{n:04d}", "2023-05-01", "Tiny", 10) for n in range(3)]
    rows += [fact(f"C{n:04d}", "2021-03-01", "Gone", 10) for n in range(40)]
    rows += [fact(f"C{n:04d}", "2023-12-05", "Fresh", 50 + n) for n in range(12)]
    rows.append(fact("C0000", last, "Alpha", 100))
    return rows


@cache
def trained_workspace() -> Path:
    """A workspace whose star, models, scores and whitespace are made; do not write into it."""
    root = Path(mkdtemp(prefix="gosales-trained-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    workspace = Workspace(root)
    with open_run(workspace, load_settings(root, flags=FLAGS), "test") as run:
        write_star(run, sales())
        train(run, ["Alpha", "Beta", "Fresh", "Gone", "Tiny"])
        score(run)
        rank_whitespace(run)
    return root


FLAGS = FAST | {
    "labels.window_months": 3,
    "modeling.max_cutoffs": 5,
    "modeling.cutoffs": "quarterly",
    "features.windows_months": [12],
}


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())
