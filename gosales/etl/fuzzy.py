"""Nearest names: rapidfuzz over blocks of names that share a rare piece.

Comparing every name with every other is 10^10 comparisons for 100k names on either side.
A name is instead compared with those that share its rarest pieces: whole words, the
beginnings and ends of words, the beginnings of two words together, either end of the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

__all__ = ["FuzzyRules", "Nearest", "nearest_names"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class FuzzyRules:
    """Least score and least lead over the second best (0-100); most candidates of a name."""

    threshold: float
    margin: float
    block_size: int
    threads: int = 1


@dataclass(frozen=True)
class Nearest:
    """For each name: the index of its reference name, or -1, and the score of the best.

    ``tied`` marks names whose best leads the second best by less than the margin.
    """

    reference: Ints
    score: Floats
    tied: npt.NDArray[np.bool_]


def nearest_names(names: Sequence[str], references: Sequence[str], rules: FuzzyRules) -> Nearest:
    """The reference name that each name means, if one is near and clearly nearest.

    Both are distinct ``name_key`` values; their order does not matter to who matches whom.
    The score is the better of the ratios of the names as they are and with their words
    sorted. Names with different numbers (``store 12``, ``store 13``) are never matched.
    """
    found = Nearest(
        np.full(len(names), -1, np.int64), np.zeros(len(names)), np.zeros(len(names), np.bool_)
    )
    left, right = _Side(names), _Side(references)
    codes: dict[str, int] = {}
    left_numbers, right_numbers = left.numbers(codes), right.numbers(codes)
    for mine, other in _candidates(names, _Postings(references), rules.block_size):
        shorter = np.minimum(left.lengths[mine], right.lengths[other])
        both = left.lengths[mine] + right.lengths[other]
        cutoff = max(rules.threshold - rules.margin, 0.0)
        # A ratio is at most twice the shorter length over both lengths.
        keep = (200.0 * shorter >= cutoff * both) & (left_numbers[mine] == right_numbers[other])
        mine, other = mine[keep], other[keep]
        score = _scores(left, right, mine, other, cutoff, rules.threads)
        _pick(found, mine, other, score, right.rank, rules)
    return found


class _Side:
    """The names of one side, in the forms in which they are compared."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = _objects(names)
        self.sorted = _objects([" ".join(sorted(name.split())) for name in names])
        self.lengths: Ints = np.fromiter(map(len, names), np.int64, len(names))
        self.is_sorted: npt.NDArray[np.bool_] = np.fromiter(
            (a == b for a, b in zip(self.names, self.sorted, strict=True)), np.bool_, len(names)
        )
        self.rank: Ints = np.empty(len(names), np.int64)
        self.rank[np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)] = np.arange(
            len(names)
        )

    def numbers(self, codes: dict[str, int]) -> Ints:
        """A code for each name's numbers, the same code for the same numbers."""
        return np.fromiter(
            (
                codes.setdefault(" ".join(w for w in words.split() if w[0].isdigit()), len(codes))
                for words in self.sorted
            ),
            np.int64,
            len(self.sorted),
        )


class _Postings:
    """Which reference names hold each piece, as one array of names cut by ``starts``."""

    def __init__(self, references: Sequence[str]) -> None:
        self.ids: dict[str, int] = {}
        piece: list[int] = []
        owner: list[int] = []
        for index, name in enumerate(references):
            for text in _pieces(name):
                piece.append(self.ids.setdefault(text, len(self.ids)))
                owner.append(index)
        order = np.argsort(np.array(piece, np.int64), kind="stable")
        self.owners: Ints = np.array(owner, np.int64)[order]
        self.sizes: Ints = np.bincount(np.array(piece, np.int64), minlength=len(self.ids))
        self.starts: Ints = np.concatenate([[0], np.cumsum(self.sizes)])[:-1].astype(np.int64)
        self.count = len(references)


def _pieces(name: str) -> set[str]:
    words = name.split()
    joined = "".join(words)
    pieces = {f"^{joined[:6]}", f"{joined[-6:]}$", *words}
    for word in words:
        if len(word) > 3:
            pieces.update((f"{word[:4]}<", f">{word[-4:]}"))
    for one, two in combinations(sorted(words)[:5], 2):
        pieces.add(f"{one[:3]}|{two[:3]}")
    return pieces


def _candidates(
    names: Sequence[str], postings: _Postings, block_size: int
) -> Iterator[tuple[Ints, Ints]]:
    """Pairs (index of name, index of reference) to compare, each once, in bounded chunks."""
    step = max(PAIRS_AT_ONCE // block_size, 1)
    for start in range(0, len(names), step):
        chunk = names[start : start + step]
        name: list[int] = []
        piece: list[int] = []
        for index, text in enumerate(chunk, start=start):
            known = [postings.ids[p] for p in _pieces(text) if p in postings.ids]
            name.extend([index] * len(known))
            piece.extend(known)
        mine, pieces = _rarest(
            np.array(name, np.int64), np.array(piece, np.int64), postings.sizes, block_size
        )
        sizes = postings.sizes[pieces]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        other = postings.owners[np.repeat(postings.starts[pieces], sizes) + within]
        pair = np.unique(np.repeat(mine, sizes) * postings.count + other)
        yield pair // max(postings.count, 1), pair % max(postings.count, 1)


def _rarest(name: Ints, piece: Ints, sizes: Ints, block_size: int) -> tuple[Ints, Ints]:
    """The rarest pieces of each name that together have at most ``block_size`` owners.

    Pieces of one size are taken together or not at all, so that no order decides.
    """
    size = sizes[piece]
    order = np.lexsort((size, name))
    name, piece, size = name[order], piece[order], size[order]
    total = np.cumsum(size)
    first = np.r_[True, name[1:] != name[:-1]] if len(name) else np.zeros(0, np.bool_)
    group = np.cumsum(first) - 1
    before = (total - size)[first]
    within = total - before[group] if len(name) else total
    # The last piece of a run of equal sizes stands for the run.
    run_end = np.r_[(name[1:] != name[:-1]) | (size[1:] != size[:-1]), True][: len(name)]
    ends = np.flatnonzero(run_end)
    whole = within[ends[np.searchsorted(ends, np.arange(len(name)))]] if len(name) else within
    keep = whole <= block_size
    return name[keep], piece[keep]


def _scores(
    left: _Side, right: _Side, mine: Ints, other: Ints, cutoff: float, threads: int
) -> Floats:
    score = _ratio(left.names[mine], right.names[other], cutoff, threads)
    moved = np.flatnonzero(~(left.is_sorted[mine] & right.is_sorted[other]) & (score < 100.0))
    again = _ratio(left.sorted[mine[moved]], right.sorted[other[moved]], cutoff, threads)
    score[moved] = np.maximum(score[moved], again)
    return score


def _ratio(one: Any, two: Any, cutoff: float, threads: int) -> Floats:
    if not len(one):
        return np.zeros(0)
    scores: Floats = process.cpdist(
        one, two, scorer=fuzz.ratio, score_cutoff=cutoff, workers=threads, dtype=np.float64
    )
    return scores


def _pick(
    found: Nearest, mine: Ints, other: Ints, score: Floats, rank: Ints, rules: FuzzyRules
) -> None:
    """Write the best of each name in this chunk, unless another is as good."""
    order = np.lexsort((rank[other], -score, mine))
    mine, other, score = mine[order], other[order], score[order]
    first = np.flatnonzero(np.r_[True, mine[1:] != mine[:-1]]) if len(mine) else mine
    best, name = score[first], mine[first]
    second = np.zeros(len(first))
    follows = first + 1 < np.r_[first[1:], len(mine)]
    second[follows] = score[first[follows] + 1]
    near = best >= rules.threshold
    clear = best - second >= rules.margin
    found.reference[name[near & clear]] = other[first[near & clear]]
    found.score[name] = best
    found.tied[name[near & ~clear]] = True


def _objects(names: Sequence[str]) -> Any:
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return array
