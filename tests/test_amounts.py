from __future__ import annotations

from decimal import Decimal

import pytest

from gosales.amounts import amount


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (-0.001, "0"),
        (0.5, "0.50"),
        (Decimal("-9.4"), "-9.40"),
        (9.994, "9.99"),
        (9.996, "10"),
        (7, "7"),
        (-1234.56, "-1,235"),
        (Decimal("12.3456"), "12"),
    ],
)
def test_amounts_below_ten_are_told_to_the_hundredth(value: float | Decimal, told: str) -> None:
    assert amount(value) == told
