"""Phase 5: what a user can check on their own log."""

from __future__ import annotations

from gosales.validation.forward import ForwardReport, Validated, validate_forward
from gosales.validation.leakage import Leak, LeakageReport, check_leakage

__all__ = [
    "ForwardReport",
    "Leak",
    "LeakageReport",
    "Validated",
    "check_leakage",
    "validate_forward",
]
