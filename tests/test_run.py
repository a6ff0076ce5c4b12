"""A run: its lock, its log and manifest, and no secret in any of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from gosales.config import load_settings
from gosales.errors import ContractBreach, WorkspaceLocked
from gosales.run import NullReporter, open_run, redact
from gosales.workspace import Workspace
from tests.conftest import OpenRun

HOLD = """
import sys
from pathlib import Path
from gosales.config import load_settings
from gosales.run import open_run
from gosales.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
with open_run(workspace, load_settings(workspace.root), "hold"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def run_files(workspace: Workspace, command: str = "test") -> dict[str, Any]:
    folders = sorted((workspace.outputs / "runs").glob(f"*-{command}-*"))
    folder = folders[-1]
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {
        "id": folder.name,
        "log": log,
        "manifest": json.loads((folder / "manifest.json").read_text()),
        "config": (folder / "config_resolved.yaml").read_text(),
    }


def test_a_second_process_finds_the_workspace_locked_until_the_first_ends(
    workspace: Workspace, run_in: OpenRun
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert holder.stdin is not None and holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceLocked) as caught, run_in():
            pass
        assert caught.value.exit_code == 7
        assert str(workspace.root) in str(caught.value)
        assert "Wait until it ends" in caught.value.remedy
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.wait(20) == 0
    finally:
        holder.kill()
        holder.stdin.close()
        holder.stdout.close()
        holder.wait()
    with run_in() as run:
        assert run.workspace.root == workspace.root


def test_a_killed_run_leaves_the_workspace_free_and_its_scratch_is_swept(
    workspace: Workspace, run_in: OpenRun
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert holder.stdin is not None and holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    left = set(workspace.scratch.iterdir())
    assert left
    with run_in():
        assert not left & set(workspace.scratch.iterdir())
    assert not list(workspace.scratch.iterdir())
    log = next((workspace.outputs / "runs").glob("*-hold-*")) / "log.jsonl"
    assert json.loads(log.read_text().splitlines()[0])["state"] == "start"


def test_a_run_in_the_same_process_is_locked_out_too(run_in: OpenRun) -> None:
    with run_in(), pytest.raises(WorkspaceLocked), run_in():
        pass


def test_the_lock_is_free_after_a_failed_run(run_in: OpenRun) -> None:
    with pytest.raises(ContractBreach), run_in():
        raise ContractBreach("bad")
    with run_in():
        pass


def test_runs_within_one_second_have_folders_of_their_own(
    run_in: OpenRun, workspace: Workspace
) -> None:
    for _ in range(3):
        with run_in():
            pass
    folders = list((workspace.outputs / "runs").iterdir())
    assert len(folders) == 3
    assert len({json.loads((f / "manifest.json").read_text())["run_id"] for f in folders}) == 3


def test_the_manifest_tells_inputs_outputs_steps_and_versions(
    run_in: OpenRun, workspace: Workspace
) -> None:
    with run_in() as run:
        with run.step("first", total=2) as step:
            with run.commit("first") as change:
                change.arrow(pa.table({"a": [1, 2]}), workspace.output("a.parquet"))
            step.rows = 2
        with run.commit("second") as change:
            change.made_from(workspace.output("a.parquet"), key="settings")
            change.csv(pa.table({"a": [1]}), workspace.output("b.csv"))
        run.warn("Something is odd.")
    files = run_files(workspace)
    manifest = files["manifest"]
    assert manifest["status"] == "done" and manifest["command"] == "test"
    assert manifest["engine"] == "duckdb" and manifest["run_id"] == files["id"] == run.run_id
    assert [(s["step"], s["rows"]) for s in manifest["steps"]] == [("first", 2)]
    assert manifest["warnings"] == ["Something is odd."]
    a, b = manifest["outputs"].values()
    assert list(manifest["outputs"]) == ["gosales/outputs/a.parquet", "gosales/outputs/b.csv"]
    assert manifest["inputs"] == b["inputs"] == {"gosales/outputs/a.parquet": a["sha256"]}
    assert (a["rows"], b["rows"], b["key"], len(b["sha256"])) == (2, 1, "settings", 64)
    assert {"python", "gosales", "duckdb", "ibis-framework"} <= manifest["versions"].keys()
    assert manifest["seconds"] >= 0


def test_the_log_is_json_lines_in_the_order_of_events(
    run_in: OpenRun, workspace: Workspace
) -> None:
    with run_in() as run:
        with run.step("only"):
            run.note("A note.")
        run.warn("A warning.")
    log = run_files(workspace)["log"]
    assert [line["event"] for line in log] == ["run", "step", "note", "step", "warning", "run"]
    assert log[-1]["state"] == "done" and log[2]["text"] == "A note."
    assert [line["time"] for line in log] == sorted(line["time"] for line in log)


def test_a_failed_run_says_so_and_still_writes_its_manifest(
    run_in: OpenRun, workspace: Workspace
) -> None:
    with pytest.raises(ContractBreach), run_in() as run, run.step("breaks"):
        raise ContractBreach("Row 7 is bad.", "Mend it.")
    files = run_files(workspace)
    assert files["manifest"]["status"] == "failed"
    assert files["manifest"]["steps"][0]["step"] == "breaks"
    errors = [line for line in files["log"] if line["event"] == "error"]
    assert errors[0]["kind"] == "ContractBreach" and "Row 7 is bad." in errors[0]["text"]


def test_a_failed_commit_enters_neither_manifest_nor_registry(
    run_in: OpenRun, workspace: Workspace
) -> None:
    with run_in() as run:
        with pytest.raises(RuntimeError), run.commit("stage") as change:
            change.bytes(b"x", workspace.output("x"))
            raise RuntimeError
        assert not run.artifacts
    assert run_files(workspace)["manifest"]["outputs"] == {}


def test_the_resolved_configuration_is_written_and_loads_again(
    run_in: OpenRun, workspace: Workspace, tmp_path: Path
) -> None:
    with run_in(**{"labels.window_months": 9}) as run:
        pass
    text = run_files(workspace)["config"]
    assert yaml.safe_load(text)["labels"]["window_months"] == 9
    again = tmp_path / "again.yaml"
    again.write_text(text)
    assert load_settings(tmp_path, again).settings == run.settings


def test_no_secret_reaches_log_manifest_configuration_or_screen(workspace: Workspace) -> None:
    workspace.root.mkdir()
    (workspace.root / "config.yaml").write_text(
        "database:\n  spark: {fs.secret.key: hush1}\n"
        "etl:\n  sources:\n"
        "    - {url: 'postgres://ann:hush2@host/db?sslpassword=hush3', table: sales}\n"
        "    - {url: 'sqlite:///a.db', query: 'select 1 as a, 2 as b from long_table where x > 1"
        " and y < 2 -- password = hush4'}\n"
    )
    shown: list[str] = []

    class Screen(NullReporter):
        def note(self, text: str, warning: bool) -> None:
            shown.append(text)

    resolved = load_settings(workspace.root)
    with pytest.raises(ContractBreach), open_run(workspace, resolved, "test", Screen()) as run:
        run.note("Reading mssql+pyodbc://ann:hush5@host/db")
        run.warn("Slow: Driver=x;PWD=hush6;Server=y")
        run.log("other", url="mysql://ann:hush/7@host")
        raise ContractBreach("Cannot read postgres://ann:p@hush8@host/db")
    folder = next((workspace.outputs / "runs").iterdir())
    told = "\n".join(path.read_text() for path in sorted(folder.iterdir())) + "\n".join(shown)
    assert "hush" not in told
    assert "postgres://ann:***@host/db" in told and "Server=y" in told
    yaml.safe_load((folder / "config_resolved.yaml").read_text())


@pytest.mark.parametrize(
    "text",
    ["2024-06-30 12:30:00", "a: 1", "Customers: 5 by id", "http://host/path?a=1", "key: value",
     "ann@host: 3"],
)  # fmt: skip
def test_ordinary_text_is_not_redacted(text: str) -> None:
    assert redact(text) == text
