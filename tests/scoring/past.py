"""Earlier forecasts made by hand, as forecasts.parquet holds them."""

from __future__ import annotations

from typing import Any


def cell(
    cutoff: object, p: Any, worth: Any, came: Any, brought: Any, **more: Any
) -> dict[str, Any]:
    """(customers,) arrays: odds, a purchase's expected worth, whether it came, what it brought."""
    return {
        "cohort": "expansion",
        "cutoff": str(cutoff),
        "in_time": True,
        "customers": len(p),
        "expected_buyers": float(p.sum()),
        "buyers": float(came.sum()),
        "expected_gp": float((p * worth).sum()),
        "gross_profit": float(brought.sum()),
        "buyers_variance": float((p * (1 - p)).sum()),
        "expected_gp_squares": float((p * worth**2).sum()),
        "gross_profit_squares": float((brought**2).sum()),
        **more,
    }
