"""The command line: help, workspaces, settings, and exit codes for a user's mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import Gosales
from tests.etl.logs import csv_text, long_rows, put


def test_help_is_a_table_of_contents_in_the_order_of_the_pipeline(gosales: Gosales) -> None:
    called = gosales("--help")
    assert called.code == 0
    stages = ["star", "labels", "features", "train", "score", "whitespace"]
    places = [called.out.index(f"\u2502 {stage} ") for stage in stages]
    assert places == sorted(places)


def test_init_makes_a_commented_workspace_and_keeps_what_is_there(gosales, tmp_path) -> None:
    assert gosales("init", tmp_path / "mine").code == 0
    config = tmp_path / "mine" / "config.yaml"
    assert config.read_text().startswith("#")
    assert set(yaml.safe_load(config.read_text())) >= {"etl", "labels", "features", "modeling"}
    config.write_text("etl: {layout: long}\n")
    assert gosales("init", tmp_path / "mine").code == 0
    assert config.read_text() == "etl: {layout: long}\n"


def test_config_show_names_the_origin_of_each_value(gosales, tmp_path, monkeypatch) -> None:
    (tmp_path / "config.yaml").write_text("etl:\n  layout: long\n")
    monkeypatch.setenv("GOSALES_RUN__SEED", "7")
    called = gosales("config", "show", "--workspace", tmp_path)
    assert f'etl.layout = "long"  # {tmp_path / "config.yaml"}:2' in called.out
    assert "run.seed = 7  # environment GOSALES_RUN__SEED" in called.out
    schema = json.loads(gosales("config", "schema").out)
    assert "etl" in schema["properties"]


def test_sample_makes_a_whole_workspace(gosales, tmp_path) -> None:
    called = gosales("sample", "simulate", "--out", tmp_path, "--customers", 60, "--seed", 2)
    assert called.code == 0
    data = tmp_path / "gosales" / "data"
    made = ["raw/Sales_Log.csv", "lookup/enrichment.csv", "truth/truth.parquet"]
    for path in [tmp_path / "config.yaml", *(data / name for name in made)]:
        assert path.is_file(), path
    (tmp_path / "config.yaml").write_text("run: {seed: 1}\n")
    gosales("sample", "simulate", "--out", tmp_path, "--customers", 60)
    assert (tmp_path / "config.yaml").read_text() == "run: {seed: 1}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["star", "--nonsense"], 2, "nonsense"),
        (["labels", "--cutoff", "soon"], 4, "gosales star"),
        (["train"], 4, "gosales star"),
        (["score"], 4, "gosales star"),
        (["star", "--config", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["demo", "--data", "lunar"], 2, "lunar"),
        (["sample", "simulate", "--out", "x", "--shift", "soon"], 2, "soon"),
    ],
)
def test_a_users_mistake_gets_one_clear_error(
    gosales, tmp_path, monkeypatch, arguments, code, said
) -> None:
    monkeypatch.chdir(tmp_path)
    called = gosales(*arguments)
    assert called.code == code
    assert said in called.err
    assert "Traceback" not in called.err


def test_an_unknown_division_names_the_nearest(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    gosales("star", "--workspace", workspace.root)
    called = gosales("labels", "--workspace", workspace.root, "--division", "Lerning")
    assert called.code == 2
    assert "Did you mean 'Learning'?" in called.err
    called = gosales(
        "labels", "--workspace", workspace.root, "--division", "learning", "--cutoff", "2024-13-01"
    )
    assert called.code == 2 and "2024-13-01" in called.err


def test_a_log_too_small_to_model_is_nothing_to_do(gosales, workspace) -> None:
    put(workspace, "log.csv", csv_text(long_rows()))
    called = gosales("run", "--workspace", workspace.root)
    assert called.code in (2, 5)
    assert "Traceback" not in called.err


def test_a_defect_of_ours_leaves_a_report_file(gosales, workspace, monkeypatch) -> None:
    import gosales.etl.build_star as stage

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(stage, "find_sources", broken)
    put(workspace, "log.csv", csv_text(long_rows()))
    called = gosales("star", "--workspace", workspace.root)
    assert called.code == 1
    report = Path(called.err.split("with the file ")[1].strip().rstrip("."))
    assert "ZeroDivisionError" in report.read_text()
    report.unlink()
