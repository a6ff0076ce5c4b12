"""Customers as points in a space of tastes: a truncated SVD of customers x products.

Latent semantic indexing (Deerwester et al., "Indexing by latent semantic analysis", JASIS 41,
1990): days bought, weighted by TF-IDF, each customer's row of length 1, and the leading
eigenvectors of the products' Gram matrix. One decomposition a cutoff serves all divisions: for
a division, a customer is folded in by what it bought elsewhere, and buyers are compared with
others by that alone.

All sums over customers are sums of whole numbers: weights are put on a grid of 2 ** -16. Such
sums are exact, so neither the order of the customers nor the number of threads can move a bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from gosales.features.affinity_baskets import Baskets, Bools, Floats

__all__ = ["Embedding", "embed", "leave_one_out_ridge", "on_grid", "similarity"]

DIMENSIONS = 32
# Of a reconstruction: most directions, and the products that each of them needs.
COMMON, PRODUCTS_A_DIRECTION = 8, 4
GRID = 2.0**16
BLOCK = 4096


def on_grid(values: Floats) -> Floats:
    """Numbers of size about 1 as whole multiples of 2 ** -16, in units of that."""
    return np.rint(values * GRID)


@dataclass(frozen=True)
class Embedding:
    """``weights`` (n, m): TF-IDF; ``directions`` (m, k): orthonormal, by falling eigenvalue."""

    weights: sparse.csr_array
    directions: Floats

    def of(self, hidden: Bools) -> tuple[Floats, Bools]:
        """(n, k): each customer's place, and whether it has one, by its products not hidden.

        The place is on the grid. It is the projection of a row of length 1, so it is at most 1
        long: shorter where the directions say little about the customer's taste.
        """
        shown = (~hidden).astype(np.float64)
        norm = np.sqrt(np.asarray(self.weights.power(2) @ shown))
        place = np.asarray(self.weights @ (self.directions * shown[:, None]))
        known = norm > 0
        return on_grid(place / np.where(known, norm, 1.0)[:, None]), known

    def fit(self, place: Floats, known: Bools, hidden: Bools) -> Floats:
        """(n,): the weight of the hidden products that the first directions expect at a place."""
        # With as many directions as products the reconstruction is the row itself: no news.
        count = max(1, min(COMMON, len(hidden) // PRODUCTS_A_DIRECTION))
        aims = self.directions[hidden, :count].sum(axis=0)
        expected = _dot(place[:, :count], aims) / GRID
        return np.where(known, expected, np.nan)


def embed(baskets: Baskets) -> Embedding:
    """To be called with one BLAS thread: the last bits depend on how many there are."""
    customers, products = baskets.days.shape
    owners = np.bincount(baskets.days.indices, minlength=products)
    weights = baskets.days.copy()
    idf = np.log((1.0 + customers) / (1.0 + owners)) + 1.0
    weights.data = np.log1p(weights.data) * idf[weights.indices]
    whole = weights.copy()
    norm = np.sqrt(np.asarray(weights.power(2).sum(axis=1)))
    lengths = np.repeat(norm, np.diff(weights.indptr))
    whole.data = on_grid(weights.data / lengths)
    return Embedding(weights, _leading(_gram(whole)))


def _gram(whole: sparse.csr_array) -> Floats:
    """(m, m): exact, by blocks of customers; dense where a block is."""
    products = whole.shape[1]
    gram = np.zeros((products, products))
    for start in range(0, whole.shape[0], BLOCK):
        block = whole[start : start + BLOCK]
        pairs = float(np.square(np.diff(block.indptr).astype(np.float64)).sum())
        # A product of sparse matrices takes about 16 times as long for a pair.
        if pairs * 16 > block.shape[0] * products**2:
            dense = block.toarray()
            gram += dense.T @ dense
        else:
            gram += (block.T @ block).toarray()
    return gram


def _leading(gram: Floats) -> Floats:
    """The leading eigenvectors, each with its greatest component positive."""
    products = len(gram)
    count = min(DIMENSIONS, products)
    _values, vectors = linalg.eigh(gram, subset_by_index=(products - count, products - 1))
    vectors = vectors[:, ::-1]
    largest = np.argmax(np.abs(vectors), axis=0)
    signs = np.sign(vectors[largest, np.arange(count)])
    return np.ascontiguousarray(vectors * np.where(signs == 0, 1.0, signs))


def similarity(place: Floats, known: Bools, buys: Bools) -> Floats:
    """Cosine to the division's buyers, to the others of them for a buyer; NaN without any."""
    chosen = place[buys & known]
    total = chosen.sum(axis=0)
    dot, own = _dot(place, total), _dot(place, place)
    # For a buyer the total without itself.
    mine = buys & known
    size = np.maximum(total @ total - (2 * dot - own) * mine, 0.0)
    length = np.sqrt(own * size)
    value = np.full(len(place), np.nan)
    np.divide(dot - own * mine, length, out=value, where=known & (length > 0))
    return value


def leave_one_out_ridge(place: Floats, known: Bools, buys: Bools, penalty: float) -> Floats:
    """A ridge regression of buying on the place, (n,): each customer's value without itself.

    The fit without one row follows from the whole one and the row's leverage h:
    (fitted - h * observed) / (1 - h). ``penalty`` is in customers of length 1. NaN where the
    place is not known.
    """
    x = place[known] / GRID
    count = float(len(x))
    if count < 2:
        return np.full(len(place), np.nan)
    y = buys[known].astype(np.float64)
    # Whole numbers, and so exact.
    sums = place[known].sum(axis=0) / GRID
    gram = place[known].T @ place[known] / GRID**2
    cross = place[known][buys[known]].sum(axis=0) / GRID
    mean_x, mean_y = sums / count, y.sum() / count
    inner = gram - np.outer(sums, mean_x) + penalty * np.eye(x.shape[1])
    half = linalg.inv(linalg.cholesky(inner, lower=True))
    centred = x - mean_x
    turned = _times(centred, half.T)
    weight = half @ (cross - sums * mean_y)
    fitted = mean_y + _dot(turned, weight)
    leverage = 1.0 / count + _dot(turned, turned)
    value = np.full(len(place), np.nan)
    value[known] = (fitted - leverage * y) / (1.0 - leverage)
    return value


def _times(rows: Floats, matrix: Floats) -> Floats:
    """A matrix product in which no sum depends on where a row stands, as with sparse rows."""
    count, width = rows.shape
    places = np.tile(np.arange(width), count)
    starts = np.arange(count + 1) * width
    return np.asarray(sparse.csr_array((rows.ravel(), places, starts), shape=rows.shape) @ matrix)


def _dot(rows: Floats, other: Floats) -> Floats:
    """Row by row, column after column: no sum depends on where a row stands."""
    total = np.zeros(len(rows))
    for column in range(rows.shape[1]):
        total += rows[:, column] * (other[:, column] if other.ndim == 2 else other[column])
    return total
