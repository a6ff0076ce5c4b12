"""A star that is cut on a day is the star of a log that ended on that day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gosales.errors import MissingArtifact
from gosales.etl.cut import cut_star
from gosales.etl.star import open_star
from gosales.run import Run
from gosales.workspace import Workspace
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import SPARK, random_log

CUTOFF = dt.date(2023, 9, 30)
KNOWN = [{"customer_id": "c00", "industry": "Aero"}, {"customer_id": "later", "industry": "Food"}]


def log() -> list[dict[str, Any]]:
    """Has lines on the cutoff and the day after, and a division that is launched later."""
    return [
        *random_log(41, customers=8, lines=90),
        fact("c00", CUTOFF, "PDM", 30),
        fact("c00", CUTOFF + dt.timedelta(1), "PDM", 40),
        fact("c01", "2024-02-01", "Launched", 40),
    ]


def test_a_cut_star_is_the_star_of_a_log_that_ends_there(run_in: OpenRun, engine_name: str) -> None:
    rows = log()
    with run_in(**{"database.engine": engine_name, "database.spark": SPARK}) as run:
        write_star(run, rows, KNOWN)
        cut = _content(cut_star(run, CUTOFF, Workspace(run.workspace.root / "cut")))
        write_star(run, [row for row in rows if row["order_date"] <= CUTOFF], KNOWN)
        assert cut == _content(run)


def test_without_a_star_there_is_nothing_to_cut(run: Run) -> None:
    with pytest.raises(MissingArtifact, match="does not exist"):
        cut_star(run, CUTOFF, Workspace(run.workspace.root / "cut"))


def _content(run: Run) -> list[Any]:
    star = open_star(run)
    tables = (star.transactions.drop("transaction_id", "source_row"), star.customers, star.products)
    rows = [run.engine.to_arrow(table).to_pylist() for table in tables]
    return [star.about, *(sorted(table, key=lambda row: str(list(row.values()))) for table in rows)]
