"""Why a customer scores high, in a seller's words.

A topic's weight is the sum of the contributions of all features about it; its spokesman is
the strongest of them that has something to say. Only topics that raise the score are told.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import numpy as np

from gosales.features import Feature, describe, features_of
from gosales.models import Floats, Ints
from gosales.scoring.phrases import Phrasing, shorten
from gosales.workspace import Workspace, slug

__all__ = ["FALLBACK", "REASONS", "Teller", "declarations", "winsor_caps"]

REASONS = 3
# Log-odds that a topic must add to be worth a word.
WEAK = 0.02
FALLBACK = "No single strong signal: scored on the whole profile"


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


class Teller:
    """Turns contributions into sentences for one division.

    ``features`` are the columns' declarations in their order, ``caps`` the winsor caps.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        division: str,
        divisions: Sequence[str],
        caps: Mapping[str, float],
    ) -> None:
        names = {slug(name): name for name in divisions}
        self._phrasings = [
            Phrasing(feature, division, names, caps.get(feature.name)) for feature in features
        ]
        self._last_bought = {
            phrasing.feature.scope: place
            for place, phrasing in enumerate(self._phrasings)
            if phrasing.feature.family == "xdiv" and phrasing.feature.measure == "recency_days"
        }
        topics = [self._topic(phrasing, division) for phrasing in self._phrasings]
        self._topics = list(dict.fromkeys(topics))
        self._members = [np.flatnonzero([topic == one for topic in topics]) for one in self._topics]

    @staticmethod
    def _topic(phrasing: Phrasing, division: str) -> tuple[str, str]:
        """What other divisions' features say of this one is said of the division itself."""
        what, scope = phrasing.topic
        return (what, "div") if scope == slug(division) else (what, scope)

    def tell(self, x: Floats, contributions: Floats) -> list[tuple[str, ...]]:
        """(rows, features) values and contributions -> three reasons a row.

        The first is never empty; the others are when there is nothing more to say.
        """
        weights = np.column_stack([contributions[:, m].sum(axis=1) for m in self._members])
        order = np.argsort(-weights, axis=1, kind="stable")
        return [
            self._row(x[row], contributions[row], weights[row], order[row]) for row in range(len(x))
        ]

    def _row(self, x: Floats, parts: Floats, weights: Floats, order: Ints) -> tuple[str, ...]:
        said: list[str] = []
        for topic in order:
            if weights[topic] < WEAK or len(said) == REASONS:
                break
            text = self._spokesman(x, parts, self._members[topic])
            if text is not None and text not in said:
                said.append(text)
        if not said:
            said.append(shorten(FALLBACK))
        return (*said, *[""] * (REASONS - len(said)))

    def _spokesman(self, x: Floats, parts: Floats, members: Ints) -> str | None:
        for place in sorted(members, key=lambda m: (-parts[m], m)):
            if parts[place] <= 0:
                return None
            text = self._say(x, place)
            if text is not None:
                return text
        return None

    def _say(self, x: Floats, place: int) -> str | None:
        feature = self._phrasings[place].feature
        if (feature.family, feature.measure) == ("xdiv", "owned") and x[place] > 0:
            # The same fact with its date says more than the flag.
            place = self._last_bought.get(feature.scope, place)
        return self._phrasings[place].say(float(x[place]))
