"""Workspaces with a list, and a real PostgreSQL."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from gosales.run import Run
from tests.conftest import fact, write_star
from tests.models.conftest import copied, trained
from tests.whitespace.lists import write_scores

__all__ = ["copied", "trained"]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that runs for the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel's own dependencies
        pgserver = pytest.importorskip("pgserver")
        server = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Asked for with ``indirect``: a URL of ``postgres`` or ``duckdb``, with no schema of ours."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path}/published.duckdb"
    import ibis

    url: str = request.getfixturevalue("postgres")
    backend = ibis.connect(url)
    backend.raw_sql("drop schema if exists gosales cascade").close()
    backend.disconnect()
    return url


def write_list(run: Run, customers: int = 20) -> None:
    """A star, scores of two divisions and the list that follows from them."""
    from gosales.whitespace import rank_whitespace
    from gosales.whitespace.matrix import build_matrix

    names = [f"k{number:02d}" for number in range(customers)]
    lines = [fact(name, "2023-01-01", "Alpha", 10, region="North", rep="Ann") for name in names]
    write_star(run, lines, [{"customer_id": "k00", "industry": '=Steel, "old"\x00'}])
    with run.commit("star") as change:
        day = pa.array([lines[0]["order_date"]], pa.date32())
        change.arrow(pa.table({"date": day, "year": [2023]}), run.workspace.dim("date"))
    write_scores(
        run,
        [
            (name, division, 0.1 + 0.01 * place, 50.0, 10.0 + place)
            for place, name in enumerate(names)
            for division in ("Alpha", "Beta")
        ],
    )
    rank_whitespace(run)
    build_matrix(run)
