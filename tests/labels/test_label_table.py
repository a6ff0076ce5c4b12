"""What a label is, held against a slow oracle and at every border of its window."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from gosales.etl.star import open_star
from gosales.labels import COHORTS, LabelSpec, first_purchase_counts, label_table
from gosales.months import label_window
from gosales.run import Run
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import DIVISIONS, SPARK, random_log
from tests.labels import oracle

CUTOFF = dt.date(2024, 6, 30)


def table(run: Run, divisions: list[str], cutoffs: list[dt.date], **spec: Any) -> list[dict]:  # type: ignore[type-arg]
    expr = label_table(open_star(run), divisions, cutoffs, LabelSpec(**spec))
    return run.engine.to_arrow(expr).to_pylist()


def one(run: Run, customer: str = "a", **spec: Any) -> dict[str, Any]:
    return next(r for r in table(run, ["PDM"], [CUTOFF], **spec) if r["customer_id"] == customer)


@pytest.mark.parametrize("mode", ["expansion", "all"])
@pytest.mark.parametrize("threshold", [0.0, 55.5])
def test_labels_equal_the_oracle(run: Run, mode: str, threshold: float) -> None:
    log = random_log(11)
    denylist = frozenset({"PD-1", "So-2"})
    cutoffs = [dt.date(2023, 6, 30), dt.date(2024, 2, 29), dt.date(2024, 8, 31)]
    write_star(run, log)
    rows = table(
        run,
        list(DIVISIONS),
        cutoffs,
        mode=mode,
        gp_min_threshold=threshold,
        denylist=denylist,
    )
    found = {(r["division"], r["cutoff"], r.pop("customer_id")): r for r in rows}
    assert len(found) == len(rows)
    wanted = {
        (division, cutoff, customer): row
        for division in DIVISIONS
        for cutoff in cutoffs
        for customer, row in oracle.labels(
            log, division, cutoff, 6, mode, Decimal(str(threshold)), denylist
        ).items()
    }
    assert found == wanted
    assert {r["label"] for r in rows} == {0, 1}


def test_counts_of_first_purchases_are_the_sums_of_the_rows(
    run_in: OpenRun, engine_name: str
) -> None:
    cutoffs = [dt.date(2023, 6, 30), dt.date(2024, 2, 29), dt.date(2024, 8, 31)]
    # Windows that start on the same day are told apart.
    specs = [LabelSpec(months, "expansion", 20.0, frozenset({"PD-1"})) for months in (1, 3)]
    windows = [label_window(cutoff, spec.window_months) for spec in specs for cutoff in cutoffs]
    with run_in(**{"database.engine": engine_name, "database.spark": SPARK}) as run:
        write_star(run, random_log(7))
        star = open_star(run)
        rows = [
            row
            for spec in specs
            for row in run.engine.to_arrow(
                label_table(star, list(DIVISIONS), cutoffs, spec)
            ).to_pylist()
        ]
        counts = first_purchase_counts(star, list(DIVISIONS), windows, specs[0])
        found = run.engine.to_arrow(counts).to_pylist()
    wanted: dict[Any, list[int]] = {}
    for row in rows:
        if not row["is_renewal_like"]:
            count = wanted.setdefault((row["division"], row["cutoff"], row["window_end"]), [0, 0])
            count[0] += 1
            count[1] += row["label"]
    assert {
        (row["division"], row["cutoff"], row["window_end"]): [row["customers"], row["buyers"]]
        for row in found
    } == wanted
    assert len(found) == len(wanted) and sum(buyers for _, buyers in wanted.values())


@pytest.mark.parametrize(
    ("cutoff", "day", "label"),
    [
        ("2024-06-30", "2024-06-30", 0),  # the cutoff's own day is history
        ("2024-06-30", "2024-07-01", 1),
        ("2024-06-30", "2024-12-31", 1),  # month end stays month end: the 31st is inside
        ("2024-06-30", "2025-01-01", 0),
        ("2023-08-31", "2024-02-29", 1),  # leap day
        ("2023-08-31", "2024-03-01", 0),
        ("2024-06-15", "2024-12-15", 1),
        ("2024-06-15", "2024-12-16", 0),
    ],
)
def test_orders_on_the_cutoff_day_and_at_the_end_of_the_window(
    run: Run, cutoff: str, day: str, label: int
) -> None:
    write_star(run, [fact("a", "2023-01-01", "Training", 1), fact("a", day, "PDM", 10)])
    row = table(run, ["PDM"], [dt.date.fromisoformat(cutoff)])[0]
    assert row["label"] == label
    assert row["target_gp"] == 10 * label


def test_returns_net_out(run: Run) -> None:
    history = [fact(c, "2024-01-01", "PDM", 1) for c in "abc"]
    sales = [fact(c, "2024-08-01", "PDM", 100) for c in "abc"]
    back = [fact("a", "2024-09-01", "PDM", -100), fact("b", "2024-09-01", "PDM", "-99.9999")]
    late = [fact("c", "2025-02-01", "PDM", -500)]
    write_star(run, history + sales + back + late)
    assert [one(run, c)["label"] for c in "abc"] == [0, 1, 1]
    assert one(run, "b")["target_gp"] == Decimal("0.0001")


@pytest.mark.parametrize(
    ("threshold", "label"), [(99.9999, 1), (100.0, 0), (100.00001, 0), (99.99999, 1), (-1.0, 1)]
)
def test_the_threshold_must_be_exceeded(run: Run, threshold: float, label: int) -> None:
    write_star(run, [fact("a", "2024-01-01", "PDM", 1), fact("a", "2024-08-01", "PDM", 100)])
    assert one(run, gp_min_threshold=threshold)["label"] == label


def test_denylisted_products_make_no_label_but_make_history(run: Run) -> None:
    write_star(
        run,
        [
            fact("a", "2024-01-01", "PDM", 1, product_sku="free"),
            fact("a", "2024-08-01", "PDM", 100, product_sku="free"),
        ],
    )
    assert one(run)["label"] == 1
    row = one(run, denylist=frozenset({"free"}))
    assert (row["label"], row["target_gp"], row["is_renewal_like"]) == (0, 0, 1)


def test_cohorts_partition_the_population_in_both_modes(run: Run) -> None:
    write_star(run, random_log(12))
    for mode in ("expansion", "all"):
        rows = table(run, list(DIVISIONS), [dt.date(2023, 3, 31)], mode=mode)
        assert all(sum(row[f"is_{cohort}"] for cohort in COHORTS) == 1 for row in rows)
        assert any(row["is_new_logo"] for row in rows) == (mode == "all")
        assert {row["division"] for row in rows} == set(DIVISIONS)


def test_labels_censored_when_the_data_end_inside_the_window(run: Run) -> None:
    write_star(run, [fact("a", "2024-01-01", "PDM", 1), fact("a", "2024-12-30", "PDM", 1)])
    assert one(run)["censored_flag"] == 1
    assert one(run, window_months=5)["censored_flag"] == 0


def test_rows_up_to_the_cutoff_never_change_a_target(run: Run) -> None:
    log = random_log(13)
    cutoff = dt.date(2023, 9, 30)
    write_star(run, log)
    full = {(r["customer_id"], r["division"]): r for r in table(run, ["PDM"], [cutoff], mode="all")}
    write_star(run, [row for row in log if row["order_date"] > cutoff])
    for row in table(run, ["PDM"], [cutoff], mode="all"):
        old = full[row["customer_id"], row["division"]]
        assert (row["label"], row["target_gp"]) == (old["label"], old["target_gp"])


def test_engines_agree(run_in: OpenRun, engine_name: str) -> None:
    log = random_log(14)
    with run_in(**{"database.engine": engine_name, "database.spark": SPARK}) as run:
        write_star(run, log)
        rows = table(run, ["PDM"], [dt.date(2023, 6, 30)], mode="all", denylist={"PD-1"})
    found = {row.pop("customer_id"): row for row in rows}
    day = dt.date(2023, 6, 30)
    assert found == oracle.labels(log, "PDM", day, mode="all", denylist=frozenset({"PD-1"}))
