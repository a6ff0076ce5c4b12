"""How often what a customer owns goes with a division: lifts and naive Bayes.

Both rest on counts of customers. A customer is never evidence about itself: its own purchases
are taken out of the counts before they are applied to it, in closed form. So a buyer's value is
what it would be for a customer who is new to the log, and buyers can be compared with others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from gosales.features.affinity_baskets import Baskets, Bools, Floats, Ints

__all__ = ["lifts", "naive_bayes"]

# Added to each count: half a customer with an item and half a one without (Jeffreys' prior).
HALF = 0.5


def lifts(baskets: Baskets, min_support: int) -> Iterator[tuple[Floats, Floats]]:
    """For each division: the greatest and the mean lift towards it of what a customer owns.

    lift(x) = P(buys in the division | owns x) / P(buys in the division), over the customers
    that had bought anything by ``cutoff - lag``; x is a product or another division. The
    division's own products are left out. NaN where nothing that a customer owns has
    ``min_support`` other owners, or where nobody else buys in the division.
    """
    customers, products = baskets.days.shape
    known = baskets.division_early.any(axis=1)
    item_customer, item, early = _items(baskets)
    width = products + len(baskets.divisions)
    owners = np.bincount(item[early], minlength=width)[item] - early
    everyone = (known.sum() - known)[item_customer]
    supported = owners >= max(min_support, 1)
    for target in range(len(baskets.divisions)):
        others = np.arange(len(baskets.divisions)) != target
        usable = np.concatenate([~baskets.sold[:, target], others])
        buys = baskets.division_early[:, target]
        mine = buys[item_customer]
        buyers = buys.sum() - mine
        good = usable[item] & supported & (buyers > 0)
        both = np.bincount(item[early & mine], minlength=width)[item] - (early & mine)
        lift = (both[good] / owners[good]) / (buyers[good] / everyone[good])

        row = item_customer[good]
        count = np.bincount(row, minlength=customers)
        most = np.zeros(customers)
        np.maximum.at(most, row, lift)
        total = np.bincount(row, weights=lift, minlength=customers)
        some = count > 0
        mean = np.divide(total, count, out=np.full(customers, np.nan), where=some)
        yield np.where(some, most, np.nan), mean


def _items(baskets: Baskets) -> tuple[Ints, Ints, Bools]:
    """(customer, item, owned by ``cutoff - lag``) of the products, then of the divisions."""
    customers, products = baskets.days.shape
    row = np.repeat(np.arange(customers), np.diff(baskets.days.indptr))
    whose, division = np.nonzero(baskets.owned)
    return (
        np.concatenate([row, whose]),
        np.concatenate([baskets.days.indices, products + division]),
        np.concatenate([baskets.early, baskets.division_early[whose, division]]),
    )


def naive_bayes(owned: sparse.csr_array, usable: Bools, buys: Bools) -> Floats:
    """log P(owned | buys) - log P(owned | does not), with items as if independent: (n, D).

    ``owned`` (n, k) of zeros and ones; ``buys`` (n, D); ``usable`` (k, D): the items that may
    speak for each division. Items that a customer lacks speak too (the Bernoulli model).
    """
    yes = buys.astype(np.float64)
    c1, c0 = np.asarray(owned.T @ yes), np.asarray(owned.T @ (1.0 - yes))
    n1, n0 = yes.sum(axis=0), (1.0 - yes).sum(axis=0)
    scores = []
    # Without one of the buyers, for buyers; and without one of the others, for the others.
    for less1, less0 in ((1.0, 0.0), (0.0, 1.0)):
        rest1, rest0 = n1 - less1, n0 - less0
        present = _log_rate(c1 - less1, rest1) - _log_rate(c0 - less0, rest0)
        absent = _log_rate(rest1 - c1, rest1) - _log_rate(rest0 - c0, rest0)
        absent = np.where(usable, absent, 0.0)
        present = np.where(usable, present, 0.0)
        # As if nothing were owned, and the difference that each owned item makes.
        scores.append(np.asarray(owned @ (present - absent)) + absent.sum(axis=0))
    score: Floats = np.where(buys, scores[0], scores[1])
    return score


def _log_rate(count: Floats, total: Floats) -> Floats:
    """A count below 0 is of an item that no such customer owns: none of them will read it."""
    rate: Floats = (np.maximum(count, 0.0) + HALF) / (np.maximum(total, 0.0) + 2 * HALF)
    return np.log(rate)
