"""Ways to rank pairs without our models: how popular the division is, and implicit ALS."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis import _

from gosales.etl.star import open_star
from gosales.months import add_months
from gosales.run import Run
from gosales.whitespace.ranking import Pairs, codes

__all__ = ["als", "popularity"]

Floats = npt.NDArray[np.float64]


def popularity(run: Run, pairs: Pairs, cutoff: dt.date) -> Floats:
    """Customers who bought the division in the 12 months before the cutoff."""
    lines = open_star(run).transactions
    recent = lines.filter((_.order_date <= cutoff) & (_.order_date > add_months(cutoff, -12)))
    counts = run.engine.to_arrow(
        recent.group_by(division="product_division").agg(n=_.customer_id.nunique())
    ).to_pylist()
    known = {row["division"]: float(row["n"]) for row in counts}
    return np.array([known.get(name, 0.0) for name in pairs.divisions])[pairs.division]


def als(run: Run, pairs: Pairs, cutoff: dt.date) -> Floats | None:
    """Implicit ALS (Hu, Koren, Volinsky 2008) on order days of customers and products.

    A pair's preference is the greatest over the division's products. None without ``implicit``.
    """
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError:
        return None
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    lines = open_star(run).transactions.filter(_.order_date <= cutoff)
    bought = run.engine.to_arrow(
        lines.group_by("customer_id", "product_division", "product_sku")
        .agg(days=_.order_date.nunique())
        .order_by("customer_id", "product_division", "product_sku")
    )
    customers, row = codes(bought.column("customer_id"))
    product = pa.chunked_array(
        [
            pa.array(
                [
                    f"{division}\x1f{sku}"
                    for division, sku in zip(
                        bought.column("product_division").to_pylist(),
                        bought.column("product_sku").to_pylist(),
                        strict=True,
                    )
                ]
            )
        ]
    )
    products, column = codes(product)
    days = bought.column("days").to_numpy().astype(np.float32)
    matrix = sparse.csr_matrix((days, (row, column)), shape=(len(customers), len(products)))
    model = AlternatingLeastSquares(
        factors=min(32, len(products)), iterations=20, alpha=10.0, random_state=1, num_threads=1
    )
    with threadpool_limits(1, "blas"):
        model.fit(matrix, show_progress=False)
    place = {name: number for number, name in enumerate(customers)}
    who = np.array([place[name] for name in pairs.table.column("customer_id").to_pylist()])
    taste = np.full(len(who), -np.inf)
    for number, division in enumerate(pairs.divisions):
        mine = [n for n, name in enumerate(products) if name.split("\x1f")[0] == division]
        rows = np.flatnonzero(pairs.division == number)
        if mine and len(rows):
            likes = model.user_factors[who[rows]] @ model.item_factors[mine].T
            taste[rows] = likes.max(axis=1)
    return taste
