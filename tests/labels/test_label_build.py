"""The label artifacts: files, summaries, what is told, what goes wrong."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gosales.checksum import content_sha256, parquet_batches
from gosales.errors import ConfigError, GoSalesError, UsageError
from gosales.labels import build_labels, ensure_labels, read_denylist
from gosales.run import Run
from gosales.workspace import Workspace
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import DIVISIONS, SPARK, random_log

CUTOFFS = [dt.date(2023, 6, 30), dt.date(2023, 12, 31)]
COLUMNS = [
    "customer_id",
    "division",
    "cutoff",
    "window_start",
    "window_end",
    "label",
    "target_gp",
    "is_new_logo",
    "is_expansion",
    "is_renewal_like",
    "censored_flag",
]


def prevalence(run: Run, division: str) -> list[dict[str, str]]:
    path = run.workspace.for_division("prevalence", division, "csv")
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_artifact_has_its_columns(run: Run) -> None:
    write_star(run, random_log(21))
    report = build_labels(run, ["all"], CUTOFFS)
    assert report.built == len(report.summaries) == 6
    for summary in report.summaries:
        path = run.workspace.labels(summary.division, summary.cutoff)
        table = pa.Table.from_batches(parquet_batches(path))
        assert table.column_names == COLUMNS
        customers = table["customer_id"].to_pylist()
        assert customers == sorted(set(customers))
        assert (table.num_rows, sum(table["label"].to_pylist())) == (
            summary.customers,
            summary.positives,
        )
        assert str(table.schema.field("target_gp").type) == "decimal128(18, 4)"
    for division in DIVISIONS:
        rows = prevalence(run, division)
        assert list(rows[0]) == [
            "cutoff",
            "mode",
            "cohort",
            "customers",
            "positives",
            "prevalence",
        ]
        for cutoff in CUTOFFS:
            parts = {r["cohort"]: r for r in rows if r["cutoff"] == str(cutoff)}
            cohorts = [parts[c] for c in ("new_logo", "expansion", "renewal_like")]
            for column in ("customers", "positives"):
                assert sum(int(c[column]) for c in cohorts) == int(parts["all"][column])
        content = json.loads(run.workspace.for_division("cutoffs", division, "json").read_bytes())
        entry = content["cutoffs"]["2023-06-30"]
        assert (entry["window_end"], entry["mode"], entry["censored"]) == (
            "2023-12-31",
            "expansion",
            False,
        )


def test_summaries_cover_all_current_cutoffs_and_not_only_the_newest_call(run_in: OpenRun) -> None:
    with run_in() as run:
        write_star(run, random_log(22))
        build_labels(run, ["PDM"], CUTOFFS[:1])
        build_labels(run, ["PDM"], CUTOFFS[1:])
        assert {r["cutoff"] for r in prevalence(run, "PDM")} == {str(c) for c in CUTOFFS}
    with run_in(**{"labels.window_months": 3}) as run:
        build_labels(run, ["PDM"], CUTOFFS[1:])
        assert {r["cutoff"] for r in prevalence(run, "PDM")} == {str(CUTOFFS[1])}


def test_ensure_builds_only_what_is_missing_or_stale(run: Run) -> None:
    write_star(run, random_log(23))
    first = build_labels(run, ["PDM"], CUTOFFS)
    again = ensure_labels(run, ["PDM"], CUTOFFS)
    assert (again.built, again.summaries) == (0, first.summaries)
    assert ensure_labels(run, ["PDM", "Solidworks"], CUTOFFS).built == 2
    run.workspace.labels("PDM", CUTOFFS[0]).unlink()
    assert ensure_labels(run, ["PDM"], CUTOFFS).built == 1
    write_star(run, random_log(24))
    assert ensure_labels(run, ["PDM"], CUTOFFS).built == 2


def test_a_changed_denylist_makes_labels_stale(run_in: OpenRun, workspace: Workspace) -> None:
    path = workspace.root / "deny.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("product_sku,why\nPD-1,free\n")
    with run_in(**{"labels.denylist_skus_csv": "deny.csv"}) as run:
        write_star(run, random_log(25))
        assert ensure_labels(run, ["PDM"], CUTOFFS).built == 2
        assert ensure_labels(run, ["PDM"], CUTOFFS).built == 0
        path.write_text("product_sku,why\nPD-1,free\nnobody,sold\n")
        assert ensure_labels(run, ["PDM"], CUTOFFS).built == 2
        assert any("not in the star: nobody" in text for text in run.warnings)


@pytest.mark.parametrize("content", [None, "sku\nPD-1\n", ""])
def test_a_denylist_that_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "deny.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match="denylist") as caught:
        read_denylist(path)
    assert caught.value.exit_code == 2


def test_a_denylist_reads_blanks_case_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "deny.csv"
    path.write_text("\ufeffnote, Product_SKU \nx, A-1 \ny,\n\n", encoding="utf-8")
    assert read_denylist(path) == {"A-1"}


def test_censored_windows_and_odd_prevalence_are_told(run: Run) -> None:
    lines = [fact(c, "2024-01-01", "PDM", 1) for c in "abc"]
    lines += [fact(c, "2024-08-01", "PDM", 1) for c in "abc"]
    lines += [fact("a", "2024-09-01", "Training", 1)]
    write_star(run, lines)
    build_labels(run, ["all"], [dt.date(2024, 2, 29), dt.date(2024, 6, 30), dt.date(2024, 9, 1)])
    told = "\n".join(run.warnings)
    assert "ends on 2024-12-31, after the last order (2024-09-01)" in told
    assert "The cutoff 2024-09-01 is not before the last order" in told
    assert (
        "The share of positive labels is unusual (under 0.2% or over 50%): PDM, 100.00% at" in told
    )
    assert "100.00% at 2024-02-29; Training, 0.00% at" in told
    assert "2024-06-30," not in told.split("unusual", 1)[1]  # censored shares are not judged


def raised(run: Run, division: str, cutoffs: list[Any]) -> GoSalesError:
    with pytest.raises(GoSalesError) as caught:
        build_labels(run, [division], cutoffs)
    return caught.value


def test_errors_are_clear_and_have_their_exit_codes(run: Run) -> None:
    missing = raised(run, "PDM", CUTOFFS)
    assert (missing.exit_code, "gosales star" in str(missing)) == (4, True)
    write_star(run, random_log(26))
    unknown = raised(run, "succes plan", CUTOFFS)
    assert (unknown.exit_code, "'Success Plan'" in str(unknown)) == (2, True)
    early = raised(run, "PDM", [dt.date(2001, 1, 1)])
    assert isinstance(early, UsageError)
    assert "before the first order" in str(early)
    malformed = raised(run, "PDM", ["30.06.2024"])
    assert (malformed.exit_code, "30.06.2024" in str(malformed)) == (2, True)
    assert not list(run.workspace.outputs.glob("labels*"))


def test_two_runs_any_threads_and_any_order_of_rows_give_the_same_bytes(
    run_in: OpenRun, tmp_path: Path
) -> None:
    contents = []
    for threads, shuffle in ((1, None), (2, None), (2, 3)):
        place = Workspace(tmp_path / f"{threads}-{shuffle}")
        with run_in(place, **{"database.threads": threads}) as run:
            write_star(run, random_log(27), shuffle=shuffle)
            build_labels(run, ["all"], CUTOFFS)
        contents.append({f.name: f.read_bytes() for f in sorted(place.outputs.glob("*_*.*"))})
    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]) == 6 + 3 + 3


def test_engines_write_the_same_content(run_in: OpenRun, engine_name: str, tmp_path: Path) -> None:
    found = []
    for name in ("duckdb", engine_name):
        place = Workspace(tmp_path / f"{len(found)}")
        with run_in(place, **{"database.engine": name, "database.spark": SPARK}) as run:
            write_star(run, random_log(28))
            report = build_labels(run, ["PDM"], CUTOFFS[:1])
            path = place.labels("PDM", CUTOFFS[0])
            checksum = content_sha256(parquet_batches(path))
            summary = place.for_division("prevalence", "PDM", "csv").read_bytes()
            found.append((checksum, summary, report.summaries))
    assert found[0] == found[1]
