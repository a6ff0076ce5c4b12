"""Labels look only beyond the cutoff, cohort flags and the population only before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosales.config import load_settings
from gosales.etl.star import open_star
from gosales.labels import COHORTS, LabelSpec, label_table
from gosales.run import Run, open_run
from gosales.workspace import Workspace
from tests.conftest import fact, write_star
from tests.features.logs import DIVISIONS, random_log

CUTOFF = dt.date(2023, 9, 30)
LOG = random_log(29)
BEFORE = [row for row in LOG if row["order_date"] <= CUTOFF]
AFTER = [row for row in LOG if row["order_date"] > CUTOFF]
TARGET = ("label", "target_gp", "window_start", "window_end", "censored_flag")
COHORT = tuple(f"is_{cohort}" for cohort in COHORTS)

Rows = dict[tuple[str, str], tuple[Any, ...]]


@pytest.fixture(scope="module")
def wall_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    place = Workspace(tmp_path_factory.mktemp("label-wall"))
    with open_run(place, load_settings(place.root), "test") as run:
        yield run


def labels(run: Run, lines: list[dict[str, Any]], columns: tuple[str, ...], mode: Any) -> Rows:
    """(customer, division) -> the columns."""
    write_star(run, lines)
    table = label_table(open_star(run), DIVISIONS, [CUTOFF], LabelSpec(mode=mode))
    rows = run.engine.to_arrow(table).to_pylist()
    return {(r["customer_id"], r["division"]): tuple(r[c] for c in columns) for r in rows}


def invented(first: int, last: int) -> st.SearchStrategy[dict[str, Any]]:
    """A line ``first`` to ``last`` days after the cutoff, of a known or a new customer."""
    return st.builds(
        lambda customer, days, division, gp, sku: fact(
            customer, CUTOFF + dt.timedelta(days), division, gp, product_sku=sku
        ),
        st.sampled_from(["c00", "c01", "c05", "later", "new"]),
        st.integers(first, last),
        st.sampled_from(DIVISIONS),
        st.integers(-100_000, 1_000_000),
        st.sampled_from(["So-0", "PD-1", "never-seen"]),
    )


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    kept=st.lists(st.sampled_from(BEFORE), max_size=30),
    more=st.lists(invented(-600, 0), max_size=12),
)
def test_no_row_up_to_the_cutoff_changes_a_label(
    wall_run: Run, kept: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    truth = labels(wall_run, LOG, TARGET, "all")
    found = labels(wall_run, [*kept, *more, *AFTER], TARGET, "all")
    silent = (0, 0, *next(iter(truth.values()))[2:])  # of a customer of one of the logs only
    for pair in truth.keys() | found.keys():
        assert found.get(pair, silent) == truth.get(pair, silent)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    kept=st.lists(st.sampled_from(AFTER), max_size=30),
    more=st.lists(invented(1, 600), max_size=12),
)
def test_no_row_after_the_cutoff_changes_a_cohort_or_the_population(
    wall_run: Run, kept: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    truth = labels(wall_run, BEFORE, COHORT, "expansion")
    assert labels(wall_run, [*BEFORE, *kept, *more], COHORT, "expansion") == truth


def test_a_row_on_the_day_after_the_cutoff_does_change_a_label(wall_run: Run) -> None:
    truth = labels(wall_run, LOG, TARGET, "all")
    for days, changes in ((0, False), (1, True)):
        line = fact("c00", CUTOFF + dt.timedelta(days), "PDM", 10_000_000)
        assert (labels(wall_run, [*LOG, line], TARGET, "all") != truth) == changes
