"""Nothing later than the cutoff reaches a feature, whatever happens there."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosales.features import build_features
from gosales.run import Run
from gosales.workspace import Workspace
from tests.conftest import fact, write_star
from tests.features.logs import DIVISIONS, TOLD, random_log

CUTOFF = dt.date(2023, 9, 30)
BEFORE = [row for row in random_log(7) if row["order_date"] <= CUTOFF]


@pytest.fixture(scope="module")
def wall_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    from gosales.config import load_settings
    from gosales.run import open_run

    place = Workspace(tmp_path_factory.mktemp("wall"))
    flags = {"features.missing_flags": True, "features.gp_winsor_p": 0.9, "features.als": True}
    with open_run(place, load_settings(place.root, flags=flags), "test") as run:
        yield run


def until(log: list[dict[str, Any]], cutoff: dt.date) -> list[dict[str, Any]]:
    return [row for row in log if row["order_date"] <= cutoff]


def checksums(run: Run, rows: list[dict[str, Any]], cutoff: dt.date = CUTOFF) -> list[str]:
    write_star(run, rows, [*TOLD, {"customer_id": "new", "industry": "Aero: Space"}])
    report = build_features(run, ["all"], [cutoff])
    files = [run.workspace.features(s.division, cutoff) for s in report.summaries]
    return [s.checksum for s in report.summaries] + [file.read_bytes().hex() for file in files]


@pytest.fixture(scope="module")
def truth(wall_run: Run) -> list[str]:
    return checksums(wall_run, BEFORE)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, dt.date, list[dict[str, Any]]]:
    """A log's seed, a cutoff, and what comes after it: some of the log's lines, and others, of a
    known or a new customer, of an order from before or a new one."""
    seed, cutoff = draw(st.sampled_from([(7, CUTOFF), (8, dt.date(2024, 2, 29))]))
    log = random_log(seed)
    kept = draw(
        st.lists(st.sampled_from([r for r in log if r["order_date"] > cutoff]), max_size=20)
    )
    line = st.builds(
        lambda customer, days, division, gp, invoice, sku: fact(
            customer,
            cutoff + dt.timedelta(days),
            division,
            gp,
            invoice_id=invoice,
            product_sku=sku,
        ),
        st.sampled_from(["c00", "c01", "c02", "c05", "new"]),
        st.integers(1, 900),
        st.sampled_from(DIVISIONS),
        st.integers(-100_000, 1_000_000),
        st.sampled_from([None, "fresh", *sorted({r["invoice_id"] for r in log} - {None})]),
        st.sampled_from(["So-0", "PD-1", "never-seen"]),
    )
    return seed, cutoff, kept + draw(st.lists(line, max_size=12))


@pytest.fixture(scope="module")
def truths(wall_run: Run) -> Callable[[int, dt.date], list[str]]:
    """What a log that ends at the cutoff gives."""
    return functools.cache(
        lambda seed, cutoff: checksums(wall_run, until(random_log(seed), cutoff), cutoff)
    )


@settings(max_examples=6, deadline=None, derandomize=True)
@given(histories())
def test_deleted_altered_or_invented_rows_after_the_cutoff_change_no_byte(
    wall_run: Run,
    truths: Callable[[int, dt.date], list[str]],
    history: tuple[int, dt.date, list[dict[str, Any]]],
) -> None:
    seed, cutoff, after = history
    before = until(random_log(seed), cutoff)
    assert checksums(wall_run, [*before, *after], cutoff) == truths(seed, cutoff)


def test_a_row_on_the_cutoff_does_change_features(wall_run: Run, truth: list[str]) -> None:
    on_the_day = fact("c00", CUTOFF, "PDM", 1)
    assert checksums(wall_run, [*BEFORE, on_the_day]) != truth


def test_the_order_of_the_rows_changes_no_byte(wall_run: Run, truth: list[str]) -> None:
    write_star(wall_run, BEFORE, TOLD, shuffle=5)
    report = build_features(wall_run, ["all"], [CUTOFF])
    assert [s.checksum for s in report.summaries] == truth[: len(DIVISIONS)]


def test_renaming_customers_changes_nothing_but_the_keys(wall_run: Run) -> None:
    from tests.features.logs import by_customer, read

    write_star(wall_run, BEFORE)
    build_features(wall_run, ["PDM"], [CUTOFF])
    plain = by_customer(read(wall_run, "PDM", CUTOFF))
    write_star(
        wall_run, [row | {"customer_id": f"{99 - int(row['customer_id'][1:])}"} for row in BEFORE]
    )
    build_features(wall_run, ["PDM"], [CUTOFF])
    renamed = by_customer(read(wall_run, "PDM", CUTOFF))
    assert {f"{99 - int(key[1:])}": row for key, row in plain.items()} == renamed
