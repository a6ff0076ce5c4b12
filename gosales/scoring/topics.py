"""What a feature is about: two that are about the same thing never stand beside each other.

A topic is (concept, scope). Contributions are added up by topic; of each concept only the
strongest topic speaks.
"""

from __future__ import annotations

from gosales.features import Feature

__all__ = ["topic_of"]

ORDERS, PROFIT, RECENCY, BREADTH = "orders", "profit", "recency", "breadth"
OWNS, FIT, TREND, SEASON, RETURNS, TENURE = "owns", "fit", "trend", "season", "returns", "tenure"
KIND = "kind"
FAMILIES = {
    "xdiv": OWNS, "affinity": FIT, "als": FIT, "trajectory": TREND, "season": SEASON,
    "returns": RETURNS, "diversity": BREADTH, "margin": PROFIT, "attr": KIND,
}  # fmt: skip
MEASURES = {
    "tenure_days": TENURE,
    "gap_days_last": RECENCY,
    "overdue_ratio": RECENCY,
    "cycle_ratio": RECENCY,
    "renewal_phase": RECENCY,
    "first_gp": PROFIT,
    "gap_days_mean": ORDERS,
    "gap_days_median": ORDERS,
    "gap_days_std": ORDERS,
}


def topic_of(feature: Feature, target: str) -> tuple[str, str]:
    """(concept, scope); what is said of ``target`` (a slug) is said of the division itself."""
    concept = FAMILIES.get(feature.family) or MEASURES.get(feature.measure)
    if concept is None:
        starts = {"recency": RECENCY, "gp": PROFIT, "tx": ORDERS, "lines": ORDERS}
        word = feature.measure.split("_")[0]
        # What is not known by name is a concept of its own; orders and profit are by their word.
        concept = starts.get(word) or (ORDERS if feature.family == "lifecycle" else feature.family)
    return concept, "div" if feature.scope == target else feature.scope
