"""ALS embeddings of customers x products (extra ``als``): what a customer's taste is.

Weighted matrix factorisation for implicit feedback (Hu, Koren, Volinsky, "Collaborative filtering
for implicit feedback datasets", ICDM 2008), by the library ``implicit``. It starts from the
leading eigenvectors of the Gram matrix instead of from chance, runs on one thread, and sees the
customers in the order of what they bought, so that neither names nor threads move a bit.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _
from scipy import sparse
from threadpoolctl import threadpool_limits

from gosales.engine import Engine
from gosales.errors import MissingExtraError
from gosales.features.affinity_baskets import MONTHS, Baskets, Bools, Floats, Ints, read_baskets
from gosales.features.affinity_embedding import embed, on_grid, similarity
from gosales.features.catalog import Feature
from gosales.features.history import History

__all__ = ["features", "require_als", "tables"]

FACTORS = 16
ITERATIONS = 15
# Of a product bought on one day, against one that was not bought; it grows with the logarithm.
CONFIDENCE = 10.0
REGULARIZATION = 10.0
NAMES = [f"als_f{n}" for n in range(FACTORS)]
SHARED = pa.schema(
    {"cutoff": pa.date32(), "customer": pa.int32()} | dict.fromkeys(NAMES, pa.float32())
)
OWN = pa.schema(
    {"division": pa.string(), "cutoff": pa.date32(), "customer": pa.int32()}
    | {"als_similarity": pa.float32()}
)


def require_als() -> None:
    """Raises MissingExtraError without the library."""
    if importlib.util.find_spec("implicit") is None:
        raise MissingExtraError("als", "features.als: true")


def features() -> list[Feature]:
    nothing = f"nothing bought in the last {MONTHS} months"
    return [
        *(
            Feature(
                "als", "all", f"f{n}", f"{MONTHS}m", "factor",
                f"taste in products, direction {n + 1}",
                _[name],
                null_when=nothing,
            )
            for n, name in enumerate(NAMES)
        ),
        Feature(
            "als", "div", "similarity", f"{MONTHS}m", "cosine",
            "taste in products is like that of this division's buyers (ALS)",
            _.als_similarity,
            null_when="nothing bought in other divisions in the last "
            f"{MONTHS} months, or no other buyers in this division",
        ),
    ]  # fmt: skip


def tables(engine: Engine, history: History, targets: Sequence[str]) -> tuple[ir.Table, ir.Table]:
    """(cutoff, customer) -> ``als_f<n>``, and (target, cutoff, customer) -> ``als_similarity``.

    Raises MissingExtraError without the library ``implicit``.
    """
    require_als()
    shared: list[pa.Table] = []
    own = engine.from_tables(OWN, _own(engine, history, targets, shared))
    return engine.from_tables(SHARED, shared), own


def _own(
    engine: Engine, history: History, targets: Sequence[str], shared: list[pa.Table]
) -> Iterator[pa.Table]:
    """The tables of the own block one by one; those of the shared one, which are small, aside."""
    for cutoff, baskets in read_baskets(engine, history, lag_days=0):
        taste = _fit(baskets)
        day = pa.repeat(pa.scalar(cutoff), len(baskets.customers))
        columns = [pa.array(column, pa.float32()) for column in taste.place().T]
        shared.append(pa.Table.from_arrays([day, baskets.customers, *columns], schema=SHARED))
        for number, target in enumerate(baskets.divisions):
            if target in targets:
                alike = pa.array(_alike(taste, baskets, number), pa.float32(), from_pandas=True)
                name = pa.repeat(target, len(baskets.customers))
                keys = [name, day, baskets.customers]
                yield pa.Table.from_arrays([*keys, alike], schema=OWN)


@dataclass(frozen=True)
class Taste:
    """A fitted model. ``order``: the customers by what they bought; ``first``: of each, in that
    order, the first that bought the same, whose numbers it shares. ``turn`` (k, k): to the
    axes that the customers spread on most, so that cutoffs are comparable.
    """

    model: Any
    confidence: sparse.csr_matrix
    order: Ints
    first: Ints
    turn: Floats

    def place(self, hidden: Bools | None = None) -> Floats:
        """(n, k): each customer's place by its products that are not hidden."""
        rows = self.confidence.copy()
        if hidden is not None:
            rows.data = np.where(hidden[rows.indices], 0.0, rows.data).astype(np.float32)
            rows.eliminate_zeros()
        with threadpool_limits(1):
            found = self.model.recalculate_user(np.arange(rows.shape[0]), rows)
            turned = (found.astype(np.float64) @ self.turn)[self.first]
        place: Floats = np.empty_like(turned)
        place[self.order] = turned
        return place


def _fit(baskets: Baskets) -> Taste:
    from implicit.als import AlternatingLeastSquares

    order, first = _by_content(baskets.days)
    days = baskets.days[order]
    confidence = sparse.csr_matrix(
        (CONFIDENCE * (1.0 + np.log(days.data)), days.indices, days.indptr),
        shape=days.shape,
        dtype=np.float32,
    )
    customers, products = days.shape
    with threadpool_limits(1):
        start = embed(baskets).directions[:, :FACTORS]
        model = AlternatingLeastSquares(
            factors=FACTORS,
            regularization=REGULARIZATION,
            iterations=ITERATIONS,
            num_threads=1,
        )
        model.item_factors = np.zeros((products, FACTORS), dtype=np.float32)
        model.item_factors[:, : start.shape[1]] = start
        model.user_factors = np.zeros((customers, FACTORS), dtype=np.float32)
        model.fit(confidence, show_progress=False)
        found = model.recalculate_user(np.arange(customers), confidence)
        return Taste(model, confidence, order, first, _turn(found, model.item_factors))


def _by_content(days: sparse.csr_array) -> tuple[Ints, Ints]:
    """The customers sorted by what they bought; and for each the place of its first equal."""
    keys = [(days.indices[a:b].tolist(), days.data[a:b].tolist()) for a, b in pairwise(days.indptr)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    first = list(range(len(keys)))
    for place in range(1, len(order)):
        if keys[order[place]] == keys[order[place - 1]]:
            first[place] = first[place - 1]
    return np.array(order, dtype=np.int64), np.array(first, dtype=np.int64)


def _turn(customers: Floats, products: Floats) -> Floats:
    """To the singular vectors of customers x products', times the root of the singular values.

    A factorisation is free to turn its axes; these are not, but for the sign, which makes the
    greatest weight of a product positive.
    """
    root_c, back_c = _roots(customers.astype(np.float64))
    root_p, back_p = _roots(products.astype(np.float64))
    left, values, right = np.linalg.svd(root_c @ root_p)
    weights = products @ (back_p @ right.T)
    greatest = weights[np.argmax(np.abs(weights), axis=0), np.arange(weights.shape[1])]
    turn: Floats = back_c @ left * np.sqrt(values) * np.where(greatest < 0, -1.0, 1.0)
    return turn


def _roots(rows: Floats) -> tuple[Floats, Floats]:
    """The square root of the rows' Gram matrix, and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(rows.T @ rows)
    root = np.sqrt(np.maximum(values, 0.0))
    some = root > root.max() * 1e-6
    back = np.where(some, 1.0 / np.where(some, root, 1.0), 0.0)
    return vectors * root @ vectors.T, vectors * back @ vectors.T


def _alike(taste: Taste, baskets: Baskets, target: int) -> Floats:
    """Cosine to the division's other buyers, by what was bought elsewhere."""
    hidden = baskets.sold[:, target]
    shown = np.asarray(baskets.days @ (~hidden).astype(np.float64)) > 0
    place = taste.place(hidden)
    length = np.sqrt((place**2).sum(axis=1))
    place = on_grid(place / np.where(length > 0, length, 1.0)[:, None])
    return similarity(place, shown & (length > 0), baskets.owned[:, target])
