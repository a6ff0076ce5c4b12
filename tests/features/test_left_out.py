"""Columns that tell nothing are not written, are said so, and come back on reading."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from gosales.errors import StaleArtifact
from gosales.features import build_features, read_features
from gosales.features.catalog import is_core
from gosales.run import Run
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import DIVISIONS, by_customer, random_log, read, written

CUTOFF = dt.date(2024, 6, 30)


def left_out(run: Run, division: str) -> list[dict[str, Any]]:
    stats = run.workspace.for_cutoff("feature_stats", division, CUTOFF, "json")
    found: list[dict[str, Any]] = json.loads(stats.read_bytes())["left_out"]
    return found


def test_no_two_columns_are_equal_and_none_is_constant_but_for_the_fixed_names(
    run_in: OpenRun,
) -> None:
    with run_in(**{"features.missing_flags": True}) as run:
        write_star(run, random_log(5))
        build_features(run, ["PDM"], [CUTOFF])
        table = written(run, "PDM", CUTOFF)
        seen = set()
        for name in table.column_names:
            values = tuple(table[name].to_pylist())
            if not is_core(name):
                assert len(set(values)) > 1
                assert values not in seen
            seen.add(values)
        assert any(name.endswith("__missing") for name in table.column_names)


def test_what_is_left_out_is_told_with_its_reason_and_made_again(run: Run) -> None:
    write_star(run, random_log(5))
    build_features(run, ["PDM"], [CUTOFF])
    told = {item["name"]: item for item in left_out(run, "PDM")}
    everything = read(run, "PDM", CUTOFF)
    assert set(told) == set(everything.column_names) - set(written(run, "PDM", CUTOFF).column_names)
    again = told["xdiv__pdm__recency_days__life"]
    assert (again["why"], again["of"]) == ("duplicate", "rfm__div__recency_days__life")
    for name, item in told.items():
        values = everything[name].to_pylist()
        if item["why"] == "duplicate":
            assert values == everything[item["of"]].to_pylist()
        elif item["why"] == "constant":
            assert set(values) == {item["value"]}
        assert not is_core(name)


def test_any_two_cutoffs_and_divisions_read_alike(run: Run) -> None:
    write_star(run, random_log(5))
    cutoffs = [dt.date(2022, 1, 31), CUTOFF]
    build_features(run, ["all"], cutoffs)
    names = {tuple(read(run, name, day).column_names) for name in DIVISIONS for day in cutoffs}
    assert len(names) == 1
    some = ["xdiv__pdm__owned__life", "rfm__all__tx_n__3m"]
    table = read_features(run, "PDM", CUTOFF, some)
    assert table.column_names == ["customer_id", *some]
    with pytest.raises(StaleArtifact, match="does not know 'rfm__all__tx_n__7m'"):
        read_features(run, "PDM", CUTOFF, ["rfm__all__tx_n__7m"])


def test_a_division_that_is_sold_only_later_leaves_no_trace_in_the_matrix(run: Run) -> None:
    before = random_log(5)
    contents = []
    # Without any profit of late a share is null, which would tell the new column from a constant.
    before = [x for x in before if x["order_date"] <= CUTOFF]
    before.append(fact("poor", "2024-06-01", "PDM", -5))
    for later in ([], [fact("c00", CUTOFF + dt.timedelta(1), "Brand New", 5)]):
        write_star(run, before + later)
        build_features(run, ["PDM"], [CUTOFF])
        contents.append(run.workspace.features("PDM", CUTOFF).read_bytes())
    assert contents[0] == contents[1]
    again = read(run, "PDM", CUTOFF)
    assert set(again["xdiv__brand_new__gp_share__12m"].to_pylist()) == {0}
    assert set(again["xdiv__brand_new__recency_days__life"].to_pylist()) == {None}


def test_a_division_without_any_order_by_the_cutoff_has_a_matrix_too(run: Run) -> None:
    write_star(run, [fact("a", "2024-05-01", "PDM", 7), fact("a", "2024-07-01", "Training", 3)])
    build_features(run, ["Training"], [CUTOFF])
    row = by_customer(read(run, "Training", CUTOFF))["a"]
    assert row["rfm__div__tx_n__life"] == row["xdiv__div__gp_share__12m"] == 0
    assert row["rfm__div__recency_days__life"] is None
