"""Phase 4: what to sell next to whom, ranked over all divisions."""

from __future__ import annotations

from gosales.whitespace.rank import Opportunity, WhitespaceReport, rank_whitespace

__all__ = ["Opportunity", "WhitespaceReport", "rank_whitespace"]
