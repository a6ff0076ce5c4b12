"""The feature artifacts: boundaries, bytes, engines, caps, flags and what goes wrong."""

from __future__ import annotations

import csv
import datetime as dt
import json
from typing import Any

import pytest

from gosales.checksum import content_sha256
from gosales.errors import GoSalesError, MissingArtifact, StaleArtifact, UsageError
from gosales.features import build_features, describe, ensure_features, feature_columns
from gosales.run import Run
from gosales.workspace import Workspace
from tests.conftest import OpenRun, fact, spark_missing, write_star
from tests.features.logs import DIVISIONS, SPARK, TOLD, by_customer, random_log, read, written

CUTOFF = dt.date(2024, 6, 30)


def row_of(run: Run, customer: str = "a", division: str = "PDM") -> dict[str, Any]:
    return by_customer(read(run, division, CUTOFF))[customer]


@pytest.mark.parametrize(
    ("day", "windows"),
    [
        ("2024-06-30", {"3m": 1, "6m": 1, "12m": 1, "24m": 1, "life": 1}),
        ("2024-07-01", None),
        ("2024-04-01", {"3m": 1, "6m": 1, "12m": 1, "24m": 1, "life": 1}),
        ("2024-03-31", {"3m": 0, "6m": 1, "12m": 1, "24m": 1, "life": 1}),
        ("2023-07-01", {"3m": 0, "6m": 0, "12m": 1, "24m": 1, "life": 1}),
        ("2023-06-30", {"3m": 0, "6m": 0, "12m": 0, "24m": 1, "life": 1}),
        ("2022-06-30", {"3m": 0, "6m": 0, "12m": 0, "24m": 0, "life": 1}),
    ],
)
def test_orders_on_the_cutoff_day_and_on_window_borders(
    run: Run, day: str, windows: dict[str, int] | None
) -> None:
    write_star(run, [fact("a", day, "PDM", 10), fact("b", "2022-01-01", "PDM", 1)])
    build_features(run, ["PDM"], [CUTOFF])
    found = by_customer(read(run, "PDM", CUTOFF))
    if windows is None:
        assert list(found) == ["b"]
    else:
        for scope in ("all", "div"):
            got = {w: found["a"][f"rfm__{scope}__tx_n__{w}"] for w in windows}
            assert got == windows


def test_own_division_features_are_there_and_not_silently_empty(run: Run) -> None:
    write_star(run, [fact("a", "2024-05-01", "Success Plan", 7), fact("a", "2024-05-02", "PDM", 3)])
    build_features(run, ["success plan", "PDM"], [CUTOFF])
    row = row_of(run, division="Success Plan")
    assert row["rfm__div__gp_sum__12m"] == 7
    assert row["rfm__all__gp_sum__12m"] == 10
    assert row["xdiv__success_plan__gp_share__12m"] == pytest.approx(0.7)
    assert row["xdiv__success_plan__owned__life"] == row["xdiv__pdm__owned__life"] == 1


def test_no_order_in_a_window_is_0_for_counts_and_null_for_means(run: Run) -> None:
    write_star(run, [fact("a", "2022-05-01", "PDM", 7), fact("b", "2024-05-02", "Training", 3)])
    build_features(run, ["PDM"], [CUTOFF])
    old, stranger = row_of(run, "a"), row_of(run, "b")
    assert old["rfm__all__tx_n__3m"] == old["rfm__all__gp_sum__3m"] == 0
    assert old["rfm__all__gp_mean__3m"] is None
    assert stranger["rfm__div__tx_n__life"] == stranger["returns__div__n__12m"] == 0
    assert stranger["rfm__div__recency_days__life"] is None
    assert stranger["xdiv__pdm__recency_days__life"] is None
    assert stranger["xdiv__pdm__owned__life"] == 0


def test_an_invoice_counts_once_and_without_invoices_days_count(run: Run) -> None:
    lines = [
        fact("a", "2024-05-01", "PDM", 1, invoice_id="i1"),
        fact("a", "2024-05-01", "Training", 1, invoice_id="i1"),
        fact("a", "2024-05-02", "PDM", 1, invoice_id="i1"),
        fact("b", "2024-05-01", "PDM", 1, invoice_id=None),
        fact("b", "2024-05-01", "PDM", 1, invoice_id=None),
        fact("b", "2024-05-03", "PDM", 1, invoice_id=None),
    ]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    assert row_of(run, "a")["rfm__all__tx_n__3m"] == 1
    assert row_of(run, "b")["rfm__all__tx_n__3m"] == 2


def test_a_credit_note_does_not_move_the_order_that_it_belongs_to(run: Run) -> None:
    order = fact("a", "2023-03-01", "PDM", 100, invoice_id="i1")
    credit = fact("a", "2024-06-20", "PDM", -10, invoice_id="i1")
    write_star(run, [order, credit, fact("b", "2023-03-01", "PDM", 100, invoice_id="i2")])
    day = dt.date(2024, 6, 30)
    build_features(run, ["PDM"], [day])
    rows = by_customer(read(run, "PDM", day))
    for scope in ("all", "div"):
        for name in (f"trajectory__{scope}__tx_lag60d__12m", f"trajectory__{scope}__tx_delta__24m"):
            assert rows["a"][name] == rows["b"][name]
    assert rows["a"]["trajectory__all__tx_slope__12m"] == 0
    # The window up to the cutoff has a day of the order in it.
    assert rows["a"]["rfm__all__tx_n__3m"] == 1 and rows["b"]["rfm__all__tx_n__3m"] == 0


def test_the_smoothed_share_of_a_small_customer_moves_more(run: Run) -> None:
    lines = [fact("big", dt.date(2024, 1, 1) + dt.timedelta(n), "PDM", 10) for n in range(60)]
    lines.append(fact("small", "2024-05-01", "PDM", 10))
    for n in range(10):
        lines += [
            fact(f"x{n}", "2024-05-01", "Training", 10),
            fact(f"x{n}", "2024-05-02", "PDM", 9),
        ]
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    big, small = row_of(run, "big"), row_of(run, "small")
    name = "xdiv__div__gp_share__12m"
    assert big["xdiv__pdm__gp_share__12m"] == small["xdiv__pdm__gp_share__12m"] == 1
    assert small[name] < big[name] < 1


def test_caps_are_learnt_at_the_cutoff_recorded_and_kept(run_in: OpenRun) -> None:
    with run_in(**{"features.gp_winsor_p": 0.9}) as run:
        lines = [fact(f"c{n:02d}", "2024-05-01", "PDM", 10 + n) for n in range(50)]
        lines += [fact("c00", "2024-05-02", "PDM", 100_000), fact("z", "2024-05-01", "Other", 5)]
        lines += [fact("c01", "2024-07-01", "PDM", 9_000_000)]
        write_star(run, lines)
        build_features(run, ["PDM"], [CUTOFF])
        stats = json.loads(
            run.workspace.for_cutoff("feature_stats", "PDM", CUTOFF, "json").read_bytes()
        )
        cap = stats["winsor_caps"]["rfm__div__gp_sum__12m"]
        values = [r["rfm__div__gp_sum__12m"] for r in read(run, "PDM", CUTOFF).to_pylist()]
        # Of 50 buyers (the stranger's 0 does not count) the quantile lies between the 45th and
        # the 46th; the cap is the greater of the two.
        assert cap == 56
        assert max(values) == cap
        assert min(values) == 0


def test_few_customers_keep_their_greatest_value(run: Run) -> None:
    write_star(run, [fact(f"c{n:02d}", "2024-05-01", "PDM", 10 + n) for n in range(50)])
    build_features(run, ["PDM"], [CUTOFF])
    assert row_of(run, "c49")["rfm__div__gp_sum__12m"] == 59


def test_missing_flags_stand_beside_features_that_may_be_null(run_in: OpenRun) -> None:
    with run_in(**{"features.missing_flags": True}) as run:
        write_star(run, [fact("a", "2022-05-01", "PDM", 7), fact("b", "2024-05-02", "Other", 3)])
        build_features(run, ["PDM"], [CUTOFF])
        row = row_of(run, "b")
        assert row["rfm__div__recency_days__life__missing"] == 1
        assert row_of(run, "a")["rfm__div__recency_days__life__missing"] == 0
        assert "rfm__all__tx_n__3m__missing" not in row
        for name, value in row.items():
            if f"{name}__missing" in row:
                assert row[f"{name}__missing"] == (value is None)


def test_windows_come_from_the_settings(run_in: OpenRun) -> None:
    with run_in(**{"features.windows_months": [12, 18]}) as run:
        write_star(run, [fact("a", "2023-01-15", "PDM", 7)])
        build_features(run, ["PDM"], [CUTOFF])
        row = row_of(run)
        assert row["rfm__all__tx_n__18m"] == 1
        assert row["rfm__all__tx_n__12m"] == 0
        assert "rfm__all__tx_n__3m" not in row


def test_catalog_and_statistics_agree_with_the_matrix(run: Run) -> None:
    write_star(run, random_log(5))
    report = build_features(run, ["PDM"], [CUTOFF])
    place = run.workspace.for_cutoff
    table = written(run, "PDM", CUTOFF)
    names = feature_columns(run.workspace.features("PDM", CUTOFF))
    assert table.column_names == ["customer_id", *names]
    assert {str(table.schema.field(name).type) for name in names} == {"double"}
    assert table["customer_id"].to_pylist() == sorted(table["customer_id"].to_pylist())
    with place("feature_catalog", "PDM", CUTOFF, "csv").open(newline="") as handle:
        catalog = list(csv.DictReader(handle))
    assert [entry["name"] for entry in catalog] == names
    stats = json.loads(place("feature_stats", "PDM", CUTOFF, "json").read_bytes())
    assert stats["checksum"] == content_sha256(table.to_batches())
    assert stats["checksum"] == report.summaries[0].checksum
    assert stats["rows"] == table.num_rows
    for entry in catalog:
        coverage = 1 - table[entry["name"]].null_count / table.num_rows
        assert stats["coverage"][entry["name"]] == pytest.approx(coverage)
        assert float(entry["coverage"]) == pytest.approx(coverage)
        assert (coverage == 1) or entry["null_when"]
        described = describe(entry["name"])
        assert (described.family, described.unit) == (entry["family"], entry["unit"])


def test_two_runs_any_threads_and_any_order_of_rows_give_the_same_bytes(
    run_in: OpenRun, tmp_path: Any
) -> None:
    contents = []
    for threads, shuffle in ((1, None), (2, None), (2, 3)):
        place = Workspace(tmp_path / f"{threads}-{shuffle}")
        with run_in(place, **{"database.threads": threads, "features.als": True}) as run:
            write_star(run, random_log(9), shuffle=shuffle)
            build_features(run, ["all"], [CUTOFF, dt.date(2024, 3, 31)])
        files = sorted(place.outputs.glob("feature*"))
        contents.append({file.name: file.read_bytes() for file in files})
    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]) == 3 * 2 * len(DIVISIONS)


@pytest.mark.spark
def test_engines_agree_to_the_bit(run_in: OpenRun, tmp_path: Any) -> None:
    if why := spark_missing():
        pytest.skip(why)
    cutoffs = [dt.date(2023, 6, 30), dt.date(2024, 3, 30)]
    flags = {"features.gp_winsor_p": 0.9, "features.missing_flags": True, "features.als": True}
    found = []
    for name in ("duckdb", "pyspark"):
        with run_in(
            Workspace(tmp_path / f"{len(found)}"),
            **flags,
            **{"database.engine": name, "database.spark": SPARK},
        ) as run:
            write_star(run, random_log(3, customers=25), TOLD)
            found.append(build_features(run, DIVISIONS[:2], cutoffs).summaries)
    assert found[0] == found[1]


def test_ensure_builds_only_what_is_missing_or_stale(run: Run) -> None:
    write_star(run, random_log(5))
    assert build_features(run, ["PDM"], [CUTOFF]).built == 1
    again = ensure_features(run, ["PDM"], [CUTOFF])
    assert (again.built, again.rows) == (0, build_features(run, ["PDM"], [CUTOFF]).rows)
    assert ensure_features(run, ["PDM", "Solidworks"], [CUTOFF]).built == 1
    write_star(run, random_log(6))
    assert ensure_features(run, ["PDM", "Solidworks"], [CUTOFF]).built == 2


def test_other_settings_make_features_stale(run_in: OpenRun) -> None:
    for p, built in ((0.99, 1), (0.99, 0), (0.9, 1)):
        with run_in(**{"features.gp_winsor_p": p}) as run:
            if p == 0.99 and built:
                write_star(run, random_log(5))
            assert ensure_features(run, ["PDM"], [CUTOFF]).built == built


def raised(run: Run, division: str, cutoffs: list[Any]) -> GoSalesError:
    with pytest.raises(GoSalesError) as caught:
        build_features(run, [division], cutoffs)
    return caught.value


def test_errors_are_clear_and_have_their_exit_codes(run: Run) -> None:
    missing = raised(run, "PDM", [CUTOFF])
    assert isinstance(missing, MissingArtifact)
    assert missing.exit_code == 4
    assert "gosales star" in str(missing)

    write_star(run, random_log(5))
    unknown = raised(run, "Solidwork", [CUTOFF])
    assert (unknown.exit_code, "'Solidworks'" in str(unknown)) == (2, True)
    early = raised(run, "PDM", [dt.date(2001, 1, 1)])
    assert isinstance(early, UsageError)
    assert "before the first order" in str(early)
    malformed = raised(run, "PDM", ["2024-13-01"])
    assert (malformed.exit_code, "2024-13-01" in str(malformed)) == (2, True)

    about = json.loads(run.workspace.star_facts.read_bytes()) | {"schema_version": 99}
    with run.commit("star") as change:
        change.json(about, run.workspace.star_facts)
    stale = raised(run, "PDM", [CUTOFF])
    assert isinstance(stale, StaleArtifact)
    assert stale.exit_code == 4
    assert not list(run.workspace.outputs.glob("feature*"))


def test_a_cutoff_long_after_the_last_order_is_told(run: Run) -> None:
    write_star(run, [fact("a", "2024-05-01", "PDM", 7)])
    build_features(run, ["PDM"], [dt.date(2024, 6, 1)])
    assert not run.warnings
    build_features(run, ["PDM"], [dt.date(2024, 6, 2)])
    assert [text for text in run.warnings if "2024-06-02 is more than a month after" in text]


def test_describe_knows_every_name_and_says_so_when_not() -> None:
    assert describe("rfm__all__gp_mean__9m").description == (
        "gross profit per order in the last 9 months"
    )
    assert describe("xdiv__success_plan__recency_days__life", {"success_plan": "SUCCESS plan"}) == (
        describe("xdiv__success_plan__recency_days__life", {"success_plan": "SUCCESS plan"})
    )
    assert (
        "SUCCESS plan"
        in describe("xdiv__success_plan__owned__life", {"success_plan": "SUCCESS plan"}).description
    )
    assert describe("rfm__div__gp_mean__3m__missing").unit == "flag"
    with pytest.raises(UsageError, match="no feature 'rfm__all__nothing__3m'"):
        describe("rfm__all__nothing__3m")


def test_the_season_ahead_is_that_of_the_label_window_asked_for(run: Run) -> None:
    write_star(run, [fact("a", "2023-08-15", "PDM", 1), fact("a", "2023-12-15", "PDM", 1)])
    name = "season__all__ahead_share__24m"
    build_features(run, ["PDM"], [CUTOFF])
    assert row_of(run)[name] == 1.0
    assert ensure_features(run, ["PDM"], [CUTOFF], 3).built == 1
    assert row_of(run)[name] == 0.5
    assert ensure_features(run, ["PDM"], [CUTOFF], 3).built == 0
    assert ensure_features(run, ["PDM"], [CUTOFF]).built == 1
