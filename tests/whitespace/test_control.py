from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gosales.whitespace import rank_whitespace
from gosales.whitespace.control import hold_back
from tests.conftest import OpenRun, fact, write_star
from tests.models.worlds import read_json
from tests.whitespace.lists import LAST, read_csv, rows_of, write_scores


def listed(n: int = 900) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(1)
    return [f"c{number}" for number in rng.integers(0, n // 2, n)], rng.integers(0, 3, n)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.5])
def test_whole_customers_are_held_back_in_exactly_that_share(share: float) -> None:
    customers, divisions = listed()
    held = hold_back(customers, divisions, share, 42, "2024-01-01")
    inside = {name for name, h in zip(customers, held, strict=True) if h}
    outside = {name for name, h in zip(customers, held, strict=True) if not h}
    assert not inside & outside
    assert len(inside) == round(share * len(inside | outside))


def test_strata_are_held_back_alike() -> None:
    customers = [f"c{number}" for number in range(1200)]
    divisions = np.arange(1200) % 3
    held = hold_back(customers, divisions, 0.1, 42, "2024-01-01")
    for band in range(4):
        rows = np.arange(band * 300, band * 300 + 300)
        counts = Counter(divisions[rows][held[rows]].tolist())
        assert all(9 <= n <= 11 for n in counts.values()) and len(counts) == 3


def test_seed_and_cutoff_make_the_draw() -> None:
    customers, divisions = listed()
    one = hold_back(customers, divisions, 0.2, 42, "2024-01-01")
    assert (one == hold_back(customers, divisions, 0.2, 42, "2024-01-01")).all()
    assert (one != hold_back(customers, divisions, 0.2, 43, "2024-01-01")).any()
    assert (one != hold_back(customers, divisions, 0.2, 42, "2024-02-01")).any()


def test_the_control_group_is_marked_and_in_a_file_of_its_own(run_in: OpenRun) -> None:
    names = [f"k{number:02d}" for number in range(40)]
    flags = {"whitespace.control_share": 0.25, "whitespace.capacity_percent": 50}
    with run_in(**flags) as run:
        write_star(run, [fact(name, "2023-01-01", "Alpha", 10) for name in names])
        write_scores(
            run,
            [(n, d, 0.1 + 0.01 * i, 50.0, 10.0) for i, n in enumerate(names)
             for d in ("Beta", "Gamma")],
        )  # fmt: skip
        report = rank_whitespace(run)
        rows = rows_of(run.workspace)
        control = read_csv(run.workspace, f"whitespace_control_{LAST}.csv")
        told = read_json(run.workspace.output(f"whitespace_metrics_{LAST}.json"))["capacity"]
    marked = [row for row in rows if row["control"]]
    assert all(row["selected"] for row in marked)
    assert {row["customer_id"] for row in control} == {row["customer_id"] for row in marked}
    assert len(control) == len(marked) == report.control == told["control"]
    assert report.listed + report.control == told["selected"] == 40
    assert not {row["customer_id"] for row in marked} & {line.customer_id for line in report.best}
