"""The specification's commands, word for word, in a checkout of its own."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

PACKAGE = Path(__file__).parents[1] / "gosales"
README = Path(__file__).parents[1] / "README.md"
COMMANDS = [
    "python -m gosales.etl.build_star --config gosales/config.yaml --rebuild",
    'python -m gosales.pipeline.build_labels --division Solidworks --cutoff "2024-06-30" '
    "--window-months 6 --mode expansion --config gosales/config.yaml",
    'python -m gosales.features.build --division Solidworks --cutoff "2024-06-30" '
    "--config gosales/config.yaml",
    'python -m gosales.models.train --division Solidworks --cutoffs "2023-06-30,2023-09-30,'
    '2023-12-31" --window-months 6 --models logreg,lgbm --calibration platt,isotonic '
    "--config gosales/config.yaml",
    "python gosales/pipeline/score_all.py",
]
TABLES = {
    "gains_solidworks.csv": {"decile", "bought_in_division_mean", "count", "p_mean"},
    "calibration_solidworks.csv": {"bin", "mean_predicted", "fraction_positives", "count"},
    "thresholds_solidworks.csv": {"k_percent", "threshold", "count"},
    "prevalence_solidworks.csv": {"cutoff", "mode", "cohort", "positives", "prevalence"},
    "feature_catalog_solidworks_2024-06-30.csv": {"name", "family", "unit", "coverage"},
    "shap_global_solidworks.csv": {"feature", "mean_abs_shap"},
    "icp_scores.csv": {"customer_id", "division_name", "icp_score", "icp_percentile", "icp_grade",
                       "owned_before", "expected_gp", "reason_1", "reason_2", "reason_3", "cutoff"},
    "whitespace.csv": {"rank", "customer_id", "whitespace_division", "whitespace_score",
                       "icp_score", "expected_gp", "reason"},
}  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a simulated log, after the specification's commands."""
    root = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "data", "outputs", "*_model")
    shutil.copytree(PACKAGE, root / "gosales", ignore=ignored)
    environment = os.environ | {"PYTHONPATH": str(root)}
    sample = "python -m gosales sample simulate --out . --customers 400"
    for command in [sample, *COMMANDS]:
        line = command.replace("python ", f'"{sys.executable}" ', 1)
        done = subprocess.run(
            line, shell=True, cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    return root


def test_the_readme_has_the_commands_word_for_word() -> None:
    text = README.read_text(encoding="utf-8")
    for command in COMMANDS:
        assert text.count(command) == 2, command


@pytest.mark.parametrize(("name", "columns"), TABLES.items())
def test_tables_have_their_columns(checkout: Path, name: str, columns: set[str]) -> None:
    with (checkout / "gosales/outputs" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert columns <= set(rows[0])


def test_every_artifact_of_the_glossary_is_there(checkout: Path) -> None:
    outputs, model = checkout / "gosales/outputs", checkout / "gosales/models/solidworks_model"
    metrics = json.loads((outputs / "metrics_solidworks.json").read_text())
    for name in ("auc", "pr_auc", "brier", "lift_at_10", "rev_lift_at_10", "calibration_mae"):
        assert name in metrics, name
    assert {"selection", "cutoffs", "window_months", "aggregates"} <= set(metrics)
    card = json.loads((outputs / "model_card_solidworks.json").read_text())
    assert card["cutoffs"] == ["2023-06-30", "2023-09-30", "2023-12-31"]
    assert card["window_months"] == 6
    assert {"division", "selected_model", "seed", "params", "data", "calibration"} <= set(card)
    names = json.loads((model / "feature_list.json").read_text())
    assert len(names) >= 4  # the rule alone has four
    assert (model / "model.pkl").is_file()
    features = pq.read_table(outputs / "features_solidworks_2024-06-30.parquet")
    labels = pq.read_table(outputs / "labels_solidworks_2024-06-30.parquet")
    assert features.num_rows == labels.num_rows > 0
    stats = json.loads((outputs / "feature_stats_solidworks_2024-06-30.json").read_text())
    assert {"coverage", "winsor_caps", "checksum"} <= set(stats)
    assert (outputs / "cutoffs_solidworks.json").is_file()
    assert (outputs / "shap_sample_solidworks.csv").is_file()
    assert (outputs / "contracts/violations.csv").is_file()


def test_lesson_no_whitespace_row_was_ever_bought(checkout: Path) -> None:
    facts = pq.read_table(checkout / "gosales/data/curated/fact/fact_transactions.parquet")
    owned = set(
        zip(
            facts.column("customer_id").to_pylist(),
            facts.column("product_division").to_pylist(),
            strict=True,
        )
    )
    table = pq.read_table(checkout / "gosales/outputs/whitespace.parquet").to_pylist()
    assert table
    assert not {(row["customer_id"], row["whitespace_division"]) for row in table} & owned
    assert [row["rank"] for row in table] == list(range(1, len(table) + 1))
    score = [row["whitespace_score"] for row in table]
    assert score == sorted(score, reverse=True)
