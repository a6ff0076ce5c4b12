"""The leakage check: clean on an honest build, and it finds what peeks by a day."""

from __future__ import annotations

import csv
import datetime as dt
import json
from typing import Any

import ibis
import pytest

from gosales.errors import UsageError
from gosales.etl.star import open_star, read_star_facts
from gosales.features import affinity, matrices
from gosales.run import Run
from gosales.validation import check_leakage
from gosales.workspace import Workspace
from tests.conftest import Gosales, OpenRun, fact, write_star
from tests.features.logs import random_log

CUTOFF = dt.date(2023, 9, 30)
NEXT_DAY = CUTOFF + dt.timedelta(1)


def log() -> list[dict[str, Any]]:
    """A known customer orders the day after the cutoff; a division is launched later."""
    return [
        *random_log(41),
        fact("c00", NEXT_DAY, "PDM", 40),
        fact("c01", "2024-02-01", "Launched", 40),
    ]


@pytest.fixture
def peeking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family that adds the lines of the day after the cutoff to its greatest lift."""
    stars = []

    def opened(run: Run) -> Any:
        stars.append(open_star(run))
        return stars[-1]

    plain = affinity.pairs

    def pairs(engine: Any, history: Any, targets: Any, settings: Any) -> Any:
        found = plain(engine, history, targets, settings)
        # Families know a customer by the place of its id among all.
        place = ibis.row_number().over(order_by="customer_id").cast("int32")
        numbers = stars[-1].customers.select("customer_id", customer=place)
        lines = stars[-1].transactions.inner_join(numbers, "customer_id")
        next_day = lines.filter(lines.order_date == NEXT_DAY).group_by("customer")
        seen = found.left_join(next_day.agg(peeked=lambda t: t.count()), "customer")
        more = seen.affinity_lift_max.fill_null(0.0) + seen.peeked.fill_null(0)
        return seen.mutate(affinity_lift_max=more.cast("float32")).select(*found.columns)

    monkeypatch.setattr(matrices, "open_star", opened)
    monkeypatch.setattr(affinity, "pairs", pairs)


def test_an_honest_build_is_clean_and_says_what_it_compared(run_in: OpenRun) -> None:
    with run_in(**{"labels.mode": "all", "features.missing_flags": True}) as run:
        write_star(run, log())
        report = check_leakage(run, ["all"], [CUTOFF, dt.date(2024, 6, 30)])
        assert report.leaks == ()
        assert report.columns > 700
        assert report.launched_later == {str(CUTOFF): ("Launched",)}
        folder = run.workspace.output("validation")
        content = json.loads((folder / "leakage.json").read_bytes())
        assert (content["clean"], content["leaks"]) == (True, [])
        assert len((folder / "leakage.csv").read_text().splitlines()) == 1


def test_a_family_that_peeks_a_day_past_the_cutoff_is_caught(run: Run, peeking: None) -> None:
    write_star(run, log())
    report = check_leakage(run, ["PDM"], [CUTOFF])
    assert [(leak.column, leak.customers, leak.example) for leak in report.leaks] == [
        ("affinity__div__lift_max__24m", 1, "c00")
    ]
    leak = report.leaks[0]
    assert leak.whole_log is not None
    assert leak.whole_log >= (leak.cut_log or 0) + 1
    with (run.workspace.output("validation") / "leakage.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["column"], row["division"]) for row in rows] == [(leak.column, "PDM")]


def test_a_feature_made_by_an_earlier_leaky_build_is_found_where_it_lies(run: Run) -> None:
    """What training would read is checked, not a fresh copy of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from gosales.features import build_features

    write_star(run, log())
    build_features(run, ["PDM"], [CUTOFF])
    path = run.workspace.features("PDM", CUTOFF)
    table, name = pq.read_table(path), "rfm__all__tx_n__3m"
    orders = pa.array([value + 1 for value in table[name].to_pylist()], pa.float64())
    kept = matrices._key(run)
    with run.commit("features") as change:
        change.made_from(run.workspace.fact, key=kept)
        change.arrow(
            table.set_column(table.column_names.index(name), table.schema.field(name), orders), path
        )
    leaks = check_leakage(run, ["PDM"], [CUTOFF]).leaks
    assert [(leak.column, leak.customers) for leak in leaks] == [(name, table.num_rows)]


def test_without_a_cutoff_it_takes_one_with_a_closed_window(run: Run) -> None:
    write_star(run, log())
    last = read_star_facts(run.workspace).last_order
    (day,) = check_leakage(run, ["PDM"]).cutoffs
    assert day < last - dt.timedelta(150)


def test_a_cutoff_with_nothing_after_it_proves_nothing(run: Run) -> None:
    write_star(run, log())
    last = read_star_facts(run.workspace).last_order
    with pytest.raises(UsageError, match="nothing that could leak"):
        check_leakage(run, ["PDM"], [last])
    with pytest.raises(UsageError, match="before the first order"):
        check_leakage(run, ["PDM"], [dt.date(2001, 1, 1)])


def test_the_command_ends_with_0_when_clean_and_with_6_on_a_leak(
    run_in: OpenRun, gosales: Gosales, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    with run_in() as run:
        write_star(run, log())
    call = ("validate", "leakage", "--workspace", workspace.root, "--cutoff", CUTOFF)
    clean = gosales(*call, "--division", "PDM")
    assert (clean.code, "none differs" in clean.out) == (0, True)
    for path in workspace.outputs.glob("feature*"):
        path.unlink()
    request.getfixturevalue("peeking")
    leaky = gosales(*call, "--division", "PDM")
    assert leaky.code == 6
    assert "affinity__div__lift_max__24m" in leaky.err
    assert "c00" in leaky.out
    unknown = gosales(*call, "--division", "PMD")
    assert (unknown.code, "Did you mean 'PDM'?" in unknown.err) == (2, True)
