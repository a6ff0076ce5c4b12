from __future__ import annotations

import numpy as np

from gosales.scoring.grades import grade


def test_grades_start_at_their_percentile() -> None:
    percentiles = np.array([100, 80, 79.99, 60, 40, 20, 10, 9.99, 0])
    assert "".join(grade(percentiles, [80, 60, 40, 20, 10])) == "AABBCDEFF"


def test_no_rows_no_grades() -> None:
    assert grade(np.array([]), [80, 60, 40, 20, 10]) == []
