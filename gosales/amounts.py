"""How an amount of money is told: to the hundredth below ten, in whole units from there on.

A log may be kept in thousands, or sell by the piece; then whole units would tell nothing.
"""

from __future__ import annotations

from decimal import Decimal

__all__ = ["amount", "rounded"]


def rounded(value: float | Decimal) -> tuple[float, int]:
    """The amount as it is told, and the decimals to write it with."""
    # Adding nothing takes the sign off a zero.
    whole, cents = round(float(value)) + 0, round(float(value), 2) + 0.0
    told_whole = abs(cents) >= 10 or cents == whole
    return (whole, 0) if told_whole else (cents, 2)


def amount(value: float | Decimal) -> str:
    """As in ``1,234``, ``9.50`` or ``0``."""
    told, decimals = rounded(value)
    return f"{told:,.{decimals}f}"
