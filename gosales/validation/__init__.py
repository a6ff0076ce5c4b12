"""Phase 5: what a user can check on their own log."""

from __future__ import annotations

from gosales.validation.leakage import Leak, LeakageReport, check_leakage

__all__ = ["Leak", "LeakageReport", "check_leakage"]
