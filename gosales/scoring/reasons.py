"""Why a customer scores high, in a seller's words.

A topic's weight is the sum of the contributions of all features about it; its spokesman is
the strongest of them that has something to say. Only topics that raise the score are told, and
each concept once. All rows are told together: a pass a place in the rows' order of topics.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gosales.features import Feature, describe, features_of
from gosales.models import Design, Floats, Ints
from gosales.scoring.phrases import Phrasing, shorten
from gosales.scoring.topics import topic_of
from gosales.sensitive import is_sensitive
from gosales.workspace import Workspace, slug

__all__ = [
    "FALLBACK",
    "REASONS",
    "Teller",
    "Told",
    "declarations",
    "too_early",
    "winsor_caps",
]

REASONS = 3
# Log-odds that a topic must add to be worth a word.
WEAK = 0.02
FALLBACK = "No single strong signal: scored on the whole profile"
Texts = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]
# A trend and a comparison with the year before need that year; a season needs some orders too.
A_YEAR, SEASON_ORDERS = 365, 4
TENURE, ORDERS = "lifecycle__all__tenure_days__life", "rfm__all__tx_n__life"


@dataclass(frozen=True)
class Told:
    """(rows, REASONS) each. ``text`` is "" where nothing more is to say; ``feature`` is the place
    of the one that spoke, -1 where none did; ``weight`` the log-odds that its topic adds.
    """

    text: Texts
    feature: Ints
    weight: Floats


def winsor_caps(
    workspace: Workspace, division: str, cutoff: dt.date, features: Sequence[str]
) -> dict[str, float]:
    """The caps that money features were cut at, from the features' statistics."""
    path = workspace.for_cutoff("feature_stats", division, cutoff, "json")
    caps = json.loads(path.read_bytes())["winsor_caps"]
    return {name: caps[name] for name in features if caps.get(name) is not None}


def declarations(features: Sequence[str], divisions: Sequence[str]) -> dict[str, Feature]:
    """The declaration of each feature, by name."""
    names = {slug(name): name for name in divisions}
    windows = {
        w for name in features if (w := name.rsplit("__", 1)[-1]).removesuffix("m").isdigit()
    }
    months = sorted(int(window.removesuffix("m")) for window in windows)
    known = {feature.name: feature for feature in features_of(names, months)}
    return {name: known.get(name) or describe(name, names) for name in features}


def too_early(design: Design) -> dict[str, Bools]:
    """The customers whose past is too short to speak of a trend or a season, by family."""

    def less(name: str, least: float) -> Bools:
        if name not in design.names:
            return np.zeros(len(design.customers), dtype=bool)
        below: Bools = design.x[:, design.names.index(name)] < least
        return below

    young = less(TENURE, A_YEAR)
    return {"trajectory": young, "season": young | less(ORDERS, SEASON_ORDERS)}


class Teller:
    """Turns contributions into sentences for one division.

    ``features`` are the columns' declarations in their order, ``caps`` the winsor caps.
    Features of a division or measure with one of the ``sensitive`` words are never told.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        division: str,
        divisions: Sequence[str],
        caps: Mapping[str, float],
        sensitive: Collection[str] = (),
    ) -> None:
        names = {slug(name): name for name in divisions}
        self._phrasings = [
            Phrasing(feature, division, names, caps.get(feature.name)) for feature in features
        ]
        self._silent = {
            place
            for place, f in enumerate(features)
            if is_sensitive(f"{f.scope}__{f.measure}", sensitive)
        }
        self._last_bought = {
            f.scope: place
            for place, f in enumerate(features)
            if f.family == "xdiv" and f.measure == "recency_days"
        }
        topics = [topic_of(feature, slug(division)) for feature in features]
        self._topics = list(dict.fromkeys(topics))
        self._members = [np.flatnonzero([topic == one for topic in topics]) for one in self._topics]
        concepts = list(dict.fromkeys(concept for concept, _ in self._topics))
        self._concept = np.array([concepts.index(concept) for concept, _ in self._topics])

    def tell(
        self, x: Floats, contributions: Floats, too_early: Mapping[str, Bools] | None = None
    ) -> Told:
        """(rows, features) values and contributions -> the reasons; the first is never empty.

        ``too_early``: by family of features the rows of which it cannot be told yet.
        """
        n = len(x)
        weights = np.column_stack([contributions[:, m].sum(axis=1) for m in self._members])
        order = np.argsort(-weights, axis=1, kind="stable")
        reasons = np.full((n, REASONS), "", dtype=object)
        feature = np.full((n, REASONS), -1, dtype=np.int64)
        weight = np.zeros((n, REASONS))
        count = np.zeros(n, dtype=np.int64)
        told = np.zeros((n, int(self._concept.max()) + 1), dtype=bool)
        words = _Words(self._phrasings, x, too_early or {})
        open_rows = np.arange(n)
        for place in range(len(self._topics)):
            topic = order[open_rows, place]
            # Topics come strongest first: a weak one ends its row.
            going = (weights[open_rows, topic] >= WEAK) & (count[open_rows] < REASONS)
            open_rows, topic = open_rows[going], topic[going]
            fresh = ~told[open_rows, self._concept[topic]]
            for one in np.unique(topic[fresh]):
                rows = open_rows[fresh & (topic == one)]
                text, spoke = self._spoken(rows, contributions, self._members[one], words)
                said = spoke >= 0
                rows = rows[said]
                reasons[rows, count[rows]] = text[said]
                feature[rows, count[rows]] = spoke[said]
                weight[rows, count[rows]] = weights[rows, one]
                count[rows] += 1
                told[rows, self._concept[one]] = True
        reasons[count == 0, 0] = shorten(FALLBACK)
        return Told(reasons, feature, weight)

    def _spoken(
        self, rows: Ints, parts: Floats, members: Ints, words: _Words
    ) -> tuple[Texts, Ints]:
        """For each row what the strongest feature that can speak says, and its place; else -1."""
        text = np.full(len(rows), None, dtype=object)
        spoke = np.full(len(rows), -1, dtype=np.int64)
        ranked = members[np.argsort(-parts[np.ix_(rows, members)], axis=1, kind="stable")]
        for turn in range(len(members)):
            waiting = np.flatnonzero(text == None)  # noqa: E711
            for place in np.unique(ranked[waiting, turn]):
                mine = waiting[ranked[waiting, turn] == place]
                said, by = self._say(int(place), rows[mine], words)
                text[mine] = said
                spoke[mine[said != None]] = by  # noqa: E711
        return text, spoke

    def _say(self, place: int, rows: Ints, words: _Words) -> tuple[Texts, int]:
        """What the feature says, and which one says it."""
        feature = self._phrasings[place].feature
        silence = np.full(len(rows), None, dtype=object)
        if place in self._silent:
            return silence, place
        if (feature.family, feature.measure) == ("xdiv", "owned"):
            # The same fact with its date says more than the flag.
            dated = self._last_bought.get(feature.scope, place)
            dated = place if dated in self._silent else dated
            owned = words.values[rows, place] > 0
            silence[owned] = words.say(dated, rows[owned])
            return silence, dated
        return words.say(place, rows), place


class _Words:
    """The phrases of features for many rows, each distinct value put into words once."""

    def __init__(
        self, phrasings: Sequence[Phrasing], values: Floats, too_early: Mapping[str, Bools]
    ) -> None:
        self.values = values
        self._phrasings = phrasings
        self._too_early = too_early
        self._sorted: dict[int, Floats] = {}

    def say(self, place: int, rows: Ints) -> Texts:
        distinct, back = np.unique(self.values[rows, place], return_inverse=True)
        if place not in self._sorted:
            column = self.values[:, place]
            self._sorted[place] = np.sort(column[~np.isnan(column)])
        known = self._sorted[place]
        # The share of the other customers with a lower value; the highest stand at 1.
        below = np.searchsorted(known, distinct, side="left") / max(1, len(known) - 1)
        if len(known) < 2:
            below = np.ones(len(distinct))
        phrasing = self._phrasings[place]
        texts = [
            phrasing.say(value, standing)
            for value, standing in zip(distinct.tolist(), below.tolist(), strict=True)
        ]
        found = np.empty(len(texts), dtype=object)
        found[:] = texts
        spoken: Texts = found[back]
        early = self._too_early.get(phrasing.feature.family)
        if early is not None:
            spoken[early[rows]] = None
        return spoken
