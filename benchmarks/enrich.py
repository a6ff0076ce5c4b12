"""Enrichment of N customers with N reference names: seconds, peak memory, matches right.

    python benchmarks/enrich.py [--customers 100000] [--references 100000] [--engine duckdb]

Three in ten customers have their id in the reference file, three the same name written
another way, three a name with a typing error, and one is in no reference file. The ratio is
to comparing every name with every other by rapidfuzz's cdist (same names, same threads),
measured on a sample of the customers and extrapolated.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from rapidfuzz import fuzz, process

from gosales.config import load_settings
from gosales.etl.enrich import enrich
from gosales.etl.names import plain_name_key
from gosales.run import open_run
from gosales.workspace import Workspace

SYLLABLES = (
    "ba be bi ca co da de do el en er fa fi ga go ha in ka la le lo ma me mi na no or pa pe "
    "ra re ri ro sa se si so ta te ti to tra ul va ve vi wa xe zo"
)
COMMON = (
    "systems industries group tech solutions global manufacturing design services "
    "engineering international partners tool products"
)
FORMS = ["Inc.", "LLC", "Corp", "GmbH", "Ltd", ""]
SAMPLE = 400


@dataclass(frozen=True)
class World:
    """Customers, references and, for each customer, the reference that is truly its own."""

    customers: pa.Table
    references: pa.Table
    truth: list[str | None]
    kind: list[str]


def make_world(customers: int, references: int, rng: np.random.Generator) -> World:
    syllables, common = SYLLABLES.split(), COMMON.split()
    made: dict[str, None] = {}
    while len(made) < references:
        words = [
            "".join(rng.choice(syllables, rng.integers(2, 5))) for _ in range(rng.integers(1, 3))
        ]
        made[" ".join([*words, *rng.choice(common, rng.integers(0, 3), replace=False)])] = None
    names = list(made)
    reference_ids = [f"{n:07d}" for n in range(references)]
    ids, texts, truth, kinds = [], [], [], []
    for n in range(customers):
        own = int(rng.integers(0, references))
        kind = ("id", "name", "fuzzy", "none")[min(int(rng.integers(0, 10)) // 3, 3)]
        name = names[own]
        if kind == "none":
            name = " ".join("".join(rng.choice(syllables, 4)) for _ in range(3))
        elif kind == "fuzzy":
            place = int(rng.integers(1, len(name)))
            name = name[:place] + "q" + name[place + 1 :]
        ids.append(reference_ids[own] if kind == "id" else f"C{n}")
        texts.append(f"{name.title()} {FORMS[int(rng.integers(0, len(FORMS)))]}".strip())
        truth.append(None if kind == "none" else str(own))
        kinds.append(kind)
    distinct = {key: n for n, key in enumerate(ids)}
    keep = sorted(distinct.values())
    table = pa.table(
        {
            "customer_id": ids,
            "customer_name": texts,
            "customer_name_key": pa.array([plain_name_key(text) for text in texts], pa.string()),
        }
    ).take(keep)
    rows = pa.table(
        {
            "customer_id": reference_ids,
            "customer_name": [f"{name.upper()} {FORMS[len(name) % len(FORMS)]}" for name in names],
            "own": [f"r{n}" for n in range(references)],
        }
    )
    return World(table, rows, [truth[n] for n in keep], [kinds[n] for n in keep])


def all_pairs_seconds(world: World, threads: int) -> float:
    """Seconds that comparing every customer with every reference would take."""
    names = world.customers["customer_name_key"].to_pylist()
    references = [plain_name_key(name) for name in world.references["customer_name"].to_pylist()]
    started = time.perf_counter()
    process.cdist(
        names[:SAMPLE], references, scorer=fuzz.ratio, score_cutoff=85, workers=threads,
        dtype=np.float32,
    )  # fmt: skip
    return (time.perf_counter() - started) * len(names) / min(SAMPLE, len(names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--references", type=int, default=100_000)
    parser.add_argument("--engine", default="duckdb", choices=["duckdb", "pyspark"])
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    world = make_world(chosen.customers, chosen.references, np.random.default_rng(chosen.seed))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        file = workspace.root / "enrichment.csv"
        pa_csv.write_csv(world.references, file)
        resolved = load_settings(workspace.root, flags={"database.engine": chosen.engine})
        with open_run(workspace, resolved, "benchmark") as run:
            customers = run.engine.from_arrow(world.customers)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            started = time.perf_counter()
            result = enrich(run, customers, [file])
            seconds = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rows = run.engine.to_arrow(result.select("customer_id", "own", "enrichment_match"))
            threads = run.engine.threads
    found = dict(zip(rows["customer_id"].to_pylist(), rows["own"].to_pylist(), strict=True))
    right: dict[str, list[bool]] = {}
    wrong = 0
    for key, true, kind in zip(
        world.customers["customer_id"].to_pylist(), world.truth, world.kind, strict=True
    ):
        expected = None if true is None else f"r{true}"
        right.setdefault(kind, []).append(found[key] == expected)
        wrong += found[key] is not None and found[key] != expected
    reference = all_pairs_seconds(world, threads)
    print(f"customers {len(found)}, references {chosen.references}, engine {chosen.engine}")
    print(f"seconds {seconds:.1f}, peak memory {peak:.0f} MB (before {before:.0f} MB)")
    for kind, hits in sorted(right.items()):
        print(f"  truly {kind:5}: {len(hits):7} customers, {100 * np.mean(hits):.1f} % right")
    print(f"matched to another company: {100 * wrong / len(found):.2f} % of all customers")
    print(f"all pairs by cdist (extrapolated): {reference:.0f} s; ratio {seconds / reference:.3f}")


if __name__ == "__main__":
    main()
