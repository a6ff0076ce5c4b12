"""Deep Feature Synthesis and LightGBM; called by ``outside`` with the folder of its files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import featuretools as ft
import lightgbm as lgb
import numpy as np
import pandas as pd

AGGREGATIONS = ["count", "sum", "mean", "max", "std", "num_unique", "time_since_last"]
WHERE = ["count", "sum", "max", "num_unique", "time_since_last"]
SHAPE = {
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_child_samples": 30,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
ROUNDS, PATIENCE = 500, 30


def features(lines: pd.DataFrame, people: list[np.ndarray], plan: dict) -> list[np.ndarray]:
    """The numeric features of each cutoff's customers, made of their lines, by division too.

    A table of orders between the two gives thousands of features and takes minutes a cutoff,
    the primitive ``trend`` twice the time of all others: both are left out.
    """
    lines = lines.reset_index(names="line")
    lines["day"] = pd.to_datetime(lines["day"])
    kinds = dict.fromkeys(("division", "sku", "order"), "Categorical")
    world = ft.EntitySet("log")
    world.add_dataframe(
        dataframe_name="lines", dataframe=lines, index="line", time_index="day", logical_types=kinds
    )
    world.normalize_dataframe(
        base_dataframe_name="lines",
        new_dataframe_name="customers",
        index="customer",
        make_time_index=True,
    )
    world.add_interesting_values(
        dataframe_name="lines", values={"division": list(plan["divisions"])}
    )
    asked = pd.concat(
        pd.DataFrame({"customer": who, "time": pd.Timestamp(day)})
        for who, day in zip(people, plan["days"], strict=True)
    )
    matrix, _ = ft.dfs(
        entityset=world,
        target_dataframe_name="customers",
        cutoff_time=asked,
        agg_primitives=AGGREGATIONS,
        where_primitives=WHERE,
        trans_primitives=[],
        max_depth=2,
        cutoff_time_in_index=True,
    )
    numbers = matrix.select_dtypes("number").astype(np.float64)
    time = matrix.index.get_level_values("time")
    who = matrix.index.get_level_values("customer")
    found = []
    for codes, day in zip(people, plan["days"], strict=True):
        rows = np.flatnonzero(time == pd.Timestamp(day))
        order = rows[np.argsort(who[rows].to_numpy())]
        at = np.searchsorted(who[order].to_numpy(), codes)
        found.append(numbers.to_numpy()[order[at]])
    return found


def probabilities(
    x: list[np.ndarray], label: list[np.ndarray], new: np.ndarray, seed: int
) -> np.ndarray:
    """The number of rounds is found on the newest cutoff; the model then learns from all."""
    y = np.concatenate(label)
    if y.min() == y.max():
        return np.full(len(new), y.mean())
    params = {**SHAPE, "seed": seed}
    rounds = 100
    fit, held = label[:-1], label[-1]
    if fit and held.min() < held.max() and 0 < np.concatenate(fit).mean() < 1:
        model = lgb.train(
            params,
            lgb.Dataset(np.concatenate(x[:-1]), np.concatenate(fit)),
            ROUNDS,
            [lgb.Dataset(x[-1], held)],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        )
        rounds = max(model.best_iteration, 5)
    return lgb.train(params, lgb.Dataset(np.concatenate(x), y), rounds).predict(new)


def main(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    arrays = np.load(folder / "labels.npz")
    people = [arrays[f"people_{place}"] for place in range(len(plan["days"]))]
    x = features(pd.read_parquet(folder / "lines.parquet"), people, plan)
    p = [
        probabilities(
            [x[place] for place in places],
            [arrays[f"label_{number}_{place}"] for place in places],
            x[-1],
            plan["seed"],
        )
        for number, places in enumerate(plan["train"])
    ]
    np.save(folder / "p.npy", np.array(p))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
