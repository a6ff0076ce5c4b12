"""Phase 4: what to sell next to whom, ranked over all divisions."""

from __future__ import annotations

from gosales.whitespace.eligibility import owned_pairs
from gosales.whitespace.rank import Opportunity, WhitespaceReport, rank_whitespace
from gosales.whitespace.signals import percentile

__all__ = ["Opportunity", "WhitespaceReport", "owned_pairs", "percentile", "rank_whitespace"]
