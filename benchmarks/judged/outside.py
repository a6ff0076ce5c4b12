"""Peers that run in a process of their own, and may need an interpreter of their own.

featuretools and FLAML pin libraries that we do not. Arrays go over as files; the worker
writes its probabilities beside them.
"""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from .split import Split

__all__ = ["dfs", "flaml", "version_of"]

Floats = npt.NDArray[np.float64]
HERE = Path(__file__).parent


def version_of(python: str, module: str) -> str | None:
    """The version of the module that the interpreter has; None when it cannot import it."""
    code = f"import importlib.metadata as m, {module}; print(m.version('{module}'))"
    done = subprocess.run([python, "-W", "ignore", "-c", code], capture_output=True, text=True)
    return done.stdout.split()[-1] if done.returncode == 0 and done.stdout.split() else None


def dfs(split: Split, python: str, seed: int) -> dict[str, Floats]:
    """featuretools' Deep Feature Synthesis at every cutoff, then LightGBM a division."""
    lines = split.lines
    table = pa.table(
        {
            "customer": lines.customer,
            "order": lines.order,
            "day": pa.array((lines.day - 719163).astype(np.int32)).cast(pa.date32()),
            "division": pa.array(list(split.divisions)).take(pa.array(lines.division)),
            "sku": lines.sku,
            "quantity": lines.quantity,
            "gross_profit": lines.gp,
        }
    )
    days = [*split.days, split.test]
    arrays = {f"people_{place}": split.people[day] for place, day in enumerate(days)}
    for number, division in enumerate(split.divisions):
        for place, day in enumerate(split.days):
            arrays[f"label_{number}_{place}"] = split.answers[division, day].label
    plan = {
        "days": [str(day) for day in days],
        "divisions": list(split.divisions),
        "train": [[split.days.index(d) for d in split.sold(name)] for name in split.divisions],
        "seed": seed,
    }
    with TemporaryDirectory() as folder:
        place = Path(folder)
        pq.write_table(table, place / "lines.parquet")
        np.savez(place / "labels.npz", **arrays)
        (place / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        _work(python, "dfs_worker.py", place)
        p = np.load(place / "p.npy")
    return dict(zip(split.divisions, p, strict=True))


def flaml(split: Split, python: str, seed: int, seconds: float) -> dict[str, Floats]:
    """FLAML on our features, ``seconds`` of search for each division, two at a time."""
    plan = json.dumps({"seed": seed, "seconds": seconds})
    with ThreadPoolExecutor(2) as workers:
        p = workers.map(lambda one: _search(split, one, python, plan), split.divisions)
        return dict(zip(split.divisions, p, strict=True))


def _search(split: Split, division: str, python: str, plan: str) -> Floats:
    label, _, _, cutoff = split.stacked(division)
    if label.min() == label.max():
        return np.full(len(split.scored), label.mean())
    x, new = split.design(division)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        np.savez(place / "rows.npz", x=x, label=label, cutoff=cutoff, new=new)
        (place / "plan.json").write_text(plan, encoding="utf-8")
        _work(python, "flaml_worker.py", place)
        found: Floats = np.load(place / "p.npy")
    return found


def _work(python: str, script: str, folder: Path) -> None:
    call = [python, "-W", "ignore", str(HERE / script), str(folder)]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-3000:]}")
