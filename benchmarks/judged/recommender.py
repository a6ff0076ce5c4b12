"""Implicit ALS, the usual recommender: a customer's best products of a division."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from .calibrated import calibrated
from .lines import Lines
from .split import Split

__all__ = ["als"]

Floats = npt.NDArray[np.float64]
FACTORS, ROUNDS, BEST = 32, 15, 3


def als(split: Split, seed: int) -> dict[str, Floats]:
    """The mean score of a division's three best products, calibrated."""
    lines = split.lines
    products = int(lines.sku.max()) + 1
    division_of = np.zeros(products, dtype=np.int64)
    division_of[lines.sku] = lines.division

    def scores(day: dt.date) -> Floats:
        people, items = _factors(lines.until(day), len(split.customers), products, seed)
        return np.array(
            [
                _best(people[split.people[day]], items[division_of == code])
                for code in range(len(split.divisions))
            ]
        )

    return calibrated(split, scores)


def _factors(known: Lines, customers: int, products: int, seed: int) -> tuple[Floats, Floats]:
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import coo_matrix

    pairs, orders = np.unique(
        np.column_stack([known.customer, known.sku]), axis=0, return_counts=True
    )
    weight = (1 + np.log(orders)).astype(np.float32)
    shape = (customers, products)
    matrix = coo_matrix((weight, (pairs[:, 0], pairs[:, 1])), shape=shape).tocsr()
    model = AlternatingLeastSquares(
        factors=FACTORS,
        regularization=0.05,
        alpha=10.0,
        iterations=ROUNDS,
        num_threads=1,
        random_state=seed,
    )
    model.fit(matrix, show_progress=False)
    return model.user_factors, model.item_factors


def _best(people: Floats, items: Floats) -> Floats:
    """(customers, factors) and (products, factors) -> a score a customer."""
    if not len(items):
        return np.zeros(len(people))
    best = min(BEST, len(items))
    parts = [
        np.partition(block @ items.T, -best, axis=1)[:, -best:].mean(axis=1)
        for block in np.array_split(people, max(1, len(people) // 500))
    ]
    return np.concatenate(parts).astype(np.float64)
