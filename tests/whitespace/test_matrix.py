from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from gosales.checksum import parquet_batches
from gosales.errors import MissingArtifact
from gosales.whitespace.matrix import build_matrix
from tests.conftest import OpenRun, fact, write_star
from tests.whitespace.lists import read_csv, write_scores

STAR = [
    fact("a", "2023-12-31", "Alpha", 10, region="North", rep="Ann"),
    fact("a", "2022-12-31", "Beta", 10),
    fact("b", "2023-01-01", "Beta", 10, region="South"),
    fact("c", "2024-01-01", "Beta", 10),
]
SCORES = [
    ("a", "Alpha", 0.9, 100.0, 90.0),
    ("b", "Alpha", 0.25, 50.0, 20.5),
    ("b", "Beta", 0.1, 0.0, 10.0),
]


def test_cells_are_active_lapsed_or_open(engine_name: str, run_in: OpenRun) -> None:
    """Bought a year before the cutoff to the day is lapsed, a day later is active."""
    with run_in(**{"database.engine": engine_name}) as run:
        write_star(run, STAR, [{"customer_id": "a", "industry": "Steel"}])
        write_scores(run, SCORES)
        report = build_matrix(run)
        path = run.workspace.output("whitespace_matrix.parquet")
        rows = [row for batch in parquet_batches(path) for row in batch.to_pylist()]
        wide = read_csv(run.workspace, "whitespace_matrix.csv")
        totals = read_csv(run.workspace, "whitespace_totals.csv")
    cells = {(r["customer_id"], r["division_name"]): (r["state"], r["expected_gp"]) for r in rows}
    assert cells == {
        ("a", "Alpha"): ("active", None),
        ("a", "Beta"): ("lapsed", None),
        ("b", "Alpha"): ("open", 20.5),
        ("b", "Beta"): ("active", None),
    }
    assert report.cells == {"active": 2, "lapsed": 1, "open": 1}
    assert report.open_market == {"Alpha": 20.5, "Beta": 0.0}
    assert [row["customer_id"] for row in wide] == ["b", "a"]
    assert (wide[0]["Alpha state"], wide[0]["Alpha odds"]) == ("open", "0.25")
    assert (wide[1]["industry"], wide[1]["region"], wide[1]["rep"]) == ("Steel", "North", "Ann")
    found = {(r["by"], r["value"], r["division_name"]): r["open_expected_gp"] for r in totals}
    assert found["all", "all", "Alpha"] == found["region", "South", "Alpha"] == "20.5"
    assert found["rep", "Ann", "Alpha"] == found["industry", "Steel", "Beta"] == "0.0"


def test_the_matrix_needs_scores(run_in: OpenRun) -> None:
    with run_in() as run:
        write_star(run, STAR)
        with pytest.raises(MissingArtifact, match="gosales score"):
            build_matrix(run)


def test_totals_are_the_sums_of_the_cells(copied, gosales) -> None:
    called = gosales("matrix", "--workspace", copied.root)
    assert called.code == 0 and "market still open" in called.out
    cells = pq.read_table(copied.output("whitespace_matrix.parquet")).to_pylist()
    opened = [row for row in cells if row["expected_gp"] is not None]
    for line in read_csv(copied, "whitespace_totals.csv"):
        if line["by"] == "all":
            mine = [row["expected_gp"] for row in opened
                    if row["division_name"] == line["division_name"]]  # fmt: skip
            assert float(line["open_expected_gp"]) == pytest.approx(sum(mine), abs=0.006)
