from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from gosales.config import load_settings
from gosales.etl.build_star import build_star
from gosales.models import train
from gosales.run import open_run
from gosales.samples.sales_log import SimulationSpec, write_workspace
from gosales.scoring import score
from gosales.ui.shelf import Shelf
from gosales.whitespace import rank_whitespace
from gosales.whitespace.matrix import build_matrix
from gosales.whitespace.profile import build_profiles
from gosales.workspace import Workspace
from tests.ui.made import make_workspace, open_shelf

MODELLED = ("Maintenance", "Services")
FAST = {
    "modeling.bootstrap": 20,
    "modeling.lgbm_rounds": 10,
    "modeling.models": ["logreg"],
    "modeling.lr_grid.pooling": ["own"],
    "modeling.cutoffs": "quarterly",
    "modeling.max_cutoffs": 2,
    "modeling.shap_sample_rows": 5,
    "features.windows_months": [12],
    "whitespace.control_share": 0.1,
}


@cache
def _demo() -> Path:
    root = Path(mkdtemp(prefix="gosales-ui-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    write_workspace(SimulationSpec(customers=300, seed=4, faults=0.002), root)
    flags = FAST | {"etl.fail_on_contract_breach": False}
    with open_run(Workspace(root), load_settings(root, flags=flags), "demo") as run:
        build_star(run)
        train(run, list(MODELLED))
        score(run)
        rank_whitespace(run)
        build_matrix(run)
        build_profiles(run, list(MODELLED))
    return root


@pytest.fixture(scope="session")
def demo() -> Workspace:
    """A simulated log with everything made of it for two divisions; for reading only."""
    return Workspace(_demo())


@pytest.fixture(scope="session")
def demo_shelf(demo: Workspace) -> Iterator[Shelf]:
    shelf = open_shelf(demo)
    yield shelf
    shelf.close()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A made-up workspace, for reading only."""
    opened = open_shelf(make_workspace(tmp_path_factory.mktemp("made")))
    yield opened
    opened.close()


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A made-up workspace that a test may spoil."""
    return make_workspace(tmp_path / "made")


@pytest.fixture
def own_shelf(made: Workspace) -> Iterator[Shelf]:
    opened = open_shelf(made)
    yield opened
    opened.close()
