"""FLAML's search; called by ``outside`` with the folder of its files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from flaml import AutoML

# Of its learners those that take nulls, which our features have.
TAKE_NULLS = ["lgbm", "rf", "extra_tree"]


def main(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    rows = np.load(folder / "rows.npz")
    x, label, cutoff = rows["x"], rows["label"].astype(int), rows["cutoff"]
    newest = cutoff == cutoff.max()
    # The newest cutoff judges the search, as a careful user would have it; where it cannot,
    # FLAML splits by itself.
    timed = all(label[part].min() < label[part].max() for part in (newest, ~newest) if part.any())
    split = {}
    if timed and not newest.all():
        split = {"X_val": x[newest], "y_val": label[newest], "eval_method": "holdout"}
        x, label = x[~newest], label[~newest]
    search = AutoML()
    search.fit(
        x,
        label,
        estimator_list=TAKE_NULLS,
        task="classification",
        metric="log_loss",
        time_budget=plan["seconds"],
        seed=plan["seed"],
        n_jobs=1,
        retrain_full=True,
        verbose=0,
        **split,
    )
    np.save(folder / "p.npy", search.predict_proba(rows["new"])[:, 1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
