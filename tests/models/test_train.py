from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import gosales
from gosales.config import load_settings
from gosales.errors import IntegrityError, MissingArtifact, NothingToDo, StaleArtifact, UsageError
from gosales.models import find_models, load_design, load_model, load_pickle, train
from gosales.models.frame import load_frame
from gosales.run import open_run
from gosales.scoring import score
from gosales.workspace import Workspace
from tests.conftest import write_star
from tests.models.worlds import FLAGS, read_json, sales

ALPHA = "Alpha"


def opened(workspace: Workspace, **flags: Any) -> Any:
    return open_run(workspace, load_settings(workspace.root, flags=FLAGS | flags), "test")


def csv(path: Path) -> pa.Table:
    return pacsv.read_csv(path)


def test_every_artifact_of_phase_3_is_there_with_its_columns(trained: Workspace) -> None:
    columns = {
        "gains": ["decile", "bought_in_division_mean", "count", "p_mean"],
        "calibration": ["bin", "mean_predicted", "fraction_positives", "count"],
        "thresholds": ["k_percent", "threshold", "count"],
        "shap_global": ["feature", "mean_abs_shap"],
    }
    for stem, expected in columns.items():
        table = csv(trained.for_division(stem, ALPHA, "csv"))
        assert table.column_names == expected
        assert table.num_rows
    sample = csv(trained.for_division("shap_sample", ALPHA, "csv"))
    names = read_json(trained.model(ALPHA) / "feature_list.json")
    assert sample.column_names == ["customer_id", *names]
    assert sample.num_rows == 20
    metrics = read_json(trained.for_division("metrics", ALPHA, "json"))
    figures = {
        "auc", "pr_auc", "brier", "lift_at_5", "lift_at_10", "lift_at_20", "rev_lift_at_5",
        "rev_lift_at_10", "rev_lift_at_20", "calibration_mae",
    }  # fmt: skip
    assert figures < set(metrics)
    assert figures < set(metrics["intervals"])
    assert {"selection", "cutoffs", "window_months", "aggregates", "baselines"} < set(metrics)
    assert figures < set(metrics["cohorts"]["expansion"])
    for name in figures:
        low, high = metrics["intervals"][name]
        assert low <= metrics[name] <= high or name == "calibration_mae"


def test_the_csv_files_agree_with_the_metrics(trained: Workspace) -> None:
    metrics = read_json(trained.for_division("metrics", ALPHA, "json"))
    bins = csv(trained.for_division("calibration", ALPHA, "csv")).to_pylist()
    rows = sum(row["count"] for row in bins)
    gap = sum(row["count"] * abs(row["mean_predicted"] - row["fraction_positives"]) for row in bins)
    assert metrics["calibration_mae"] == pytest.approx(gap / rows)
    gains = csv(trained.for_division("gains", ALPHA, "csv")).to_pylist()
    bought = sum(row["count"] * row["bought_in_division_mean"] for row in gains)
    assert (rows, round(bought)) == (metrics["rows"], metrics["positives"])
    assert sum(row["count"] for row in gains) == rows
    parts = metrics["cohorts"].values()
    assert sum(part["rows"] for part in parts) == rows
    assert sum(part["positives"] for part in parts) == metrics["positives"]


def test_figures_are_of_cutoffs_that_come_after_training_windows(trained: Workspace) -> None:
    metrics = read_json(trained.for_division("metrics", ALPHA, "json"))
    assert metrics["evaluation"]["protocol"] == "nested"
    reported = metrics["evaluation"]["reported_cutoffs"]
    assert reported == metrics["cutoffs"][2:]
    text = json.dumps(metrics).lower()
    assert "train_auc" not in text and "in_sample" not in text


def test_the_cards_parameters_are_those_of_the_shipped_model(trained: Workspace) -> None:
    with opened(trained) as run:
        model = load_model(run, trained.model(ALPHA))
        pickled = load_pickle(run, trained.model(ALPHA))
    card = read_json(trained.for_division("model_card", ALPHA, "json"))
    for classifier in (model.classifier, pickled):
        chosen = {
            head.cohort: {"model": head.base.kind, **head.base.params()}
            for head in classifier.heads
        }
        assert card["params"]["chosen"] == chosen
        methods = {head.cohort: head.calibrator.method for head in classifier.heads}
        assert card["calibration"]["method"] == methods
    assert {"lr_grid", "lgbm_grid", "chosen"} == set(card["params"])
    assert card["data"]["n_customers"] > 100
    guards = {guard["rule"]: guard["outcome"] for guard in card["guardrails"]}
    assert set(guards.values()) <= {"ok", "acted", "warning"}
    beats = read_json(trained.for_division("metrics", ALPHA, "json"))["against_rule"]
    assert (guards["skill.all"] == "ok") == bool(beats["all"]["beats_rule"])


def test_the_card_seals_the_artifacts(trained: Workspace) -> None:
    from gosales.checksum import file_sha256

    card = read_json(trained.for_division("model_card", ALPHA, "json"))
    assert len(card["artifacts"]) >= 9
    for name, sha256 in card["artifacts"].items():
        assert file_sha256(trained.root / name) == sha256


def test_the_native_model_equals_the_pickle_to_the_bit(trained: Workspace) -> None:
    day = dt.date(2023, 9, 30)
    with opened(trained) as run:
        model = load_model(run, trained.model(ALPHA))
        pickled = load_pickle(run, trained.model(ALPHA))
        design = load_design(run, ALPHA, day)
    names = list(model.classifier.feature_names_in_)
    x = design.x[:, [design.names.index(name) for name in names]]
    assert (pickled.predict_proba(x)[:, 1] == model.classifier.probability(x)).all()


def test_small_divisions_are_reported_and_not_modelled(trained: Workspace) -> None:
    report = read_json(trained.output("training.json"))
    assert set(report["unmodelled"]) == {"Gone", "Tiny"}
    assert "0 positive labels" in report["unmodelled"]["Gone"]
    assert not trained.model("Tiny").exists()
    assert {row["division"] for row in report["modelled"]} == {"Alpha", "Beta", "Fresh"}


def test_a_division_launched_lately_is_borrowed_and_shows_no_figure(trained: Workspace) -> None:
    figures = read_json(trained.output("metrics_fresh.json"))
    assert figures["evaluation"]["protocol"] == "borrowed"
    assert figures["auc"] is None and figures["lift_at_10"] is None and figures["rows"] == 0
    assert all(head["borrowed"] for head in figures["selection"]["heads"])
    for stem in ("gains", "calibration", "thresholds", "shap_global"):
        fresh, alpha = (trained.for_division(stem, name, "csv") for name in ("Fresh", "Alpha"))
        assert fresh.read_text().splitlines() == alpha.read_text().splitlines()[:1]
    card = read_json(trained.output("model_card_fresh.json"))
    said = {guard["rule"]: guard for guard in card["guardrails"]}
    assert said["evaluation"]["outcome"] == "warning"
    assert "borrowed from the other divisions" in said["evaluation"]["detail"]
    assert {guard["outcome"] for name, guard in said.items() if name.startswith("beats_rule")} <= {
        "warning", "acted",
    }  # fmt: skip
    assert said["cohorts"]["outcome"] == "acted"
    assert card["data"]["rows"] == 0 and card["data"]["left_out"]["before_launch"] > 0
    # What the launch brought is what a purchase is worth, not what Alpha's or Beta's are.
    assert 50 <= card["deal_value"]["never_owned"]["mean"] <= 100
    scores = pq.read_table(trained.output("icp_scores.parquet"))
    p = scores.filter(pc.equal(scores["division_name"], "Fresh"))["icp_score"].to_numpy()
    assert len(p) > 100 and len(set(p)) > 20 and 0 < p.mean() < 0.9


def test_coefficients_are_exported_for_regressions_only(trained: Workspace) -> None:
    card = read_json(trained.for_division("model_card", ALPHA, "json"))
    linear = {c for c, chosen in card["params"]["chosen"].items() if chosen["model"] == "logreg"}
    path = trained.for_division("coef", ALPHA, "csv")
    if not linear:
        assert not path.exists()
        return
    table = csv(path)
    assert table.column_names[:2] == ["feature", "coefficient"]
    assert set(table.column("cohort").to_pylist()) == linear


@pytest.mark.parametrize("name", ["model.pkl", "model.json", "metadata.json", "feature_list.json"])
def test_a_tampered_model_is_refused(copied: Workspace, name: str) -> None:
    path = copied.model(ALPHA) / name
    path.write_bytes(path.read_bytes() + b" ")
    with opened(copied) as run, pytest.raises(IntegrityError) as error:
        load_model(run, copied.model(ALPHA))
    assert error.value.exit_code == 6


def test_a_tampered_pickle_is_not_unpickled(copied: Workspace) -> None:
    path = copied.model(ALPHA) / "model.pkl"
    path.write_bytes(b"cos\nabort\n(tR.")
    with opened(copied) as run, pytest.raises(IntegrityError, match="sha256 differs"):
        load_pickle(run, copied.model(ALPHA))


def test_a_model_from_elsewhere_is_not_taken(copied: Workspace) -> None:
    stranger = copied.models / "gamma_model"
    shutil.copytree(copied.model(ALPHA), stranger)
    with opened(copied) as run:
        assert stranger in find_models(run)
        with pytest.raises(MissingArtifact, match="was not written by a run"):
            load_model(run, stranger)


def test_lesson_models_live_in_the_workspace_and_never_in_the_package(copied: Workspace) -> None:
    package = Path(gosales.__file__).parent
    assert not [path for path in package.rglob("*") if path.suffix in (".pkl", ".json", ".parquet")]
    with opened(copied) as run:
        found = find_models(run)
    assert found and all(path.is_relative_to(copied.root) for path in found)
    shutil.rmtree(copied.models)
    with opened(copied) as run, pytest.raises(NothingToDo, match="No division could be scored"):
        score(run)


def small(workspace: Workspace, **flags: Any) -> Any:
    """A run on a star of fewer customers, logistic regression only."""
    return opened(workspace, **{"modeling.models": ["logreg"], "modeling.max_cutoffs": 4} | flags)


def test_training_twice_gives_the_same_bytes_on_one_or_two_threads(tmp_path: Path) -> None:
    found = []
    for threads in (1, 2):
        workspace = Workspace(tmp_path / str(threads))
        with opened(workspace, **{"database.threads": threads, "modeling.max_cutoffs": 4}) as run:
            write_star(run, sales(120))
            train(run, ["Alpha", "Beta"])
        names = [
            *(workspace.for_division(stem, ALPHA, "json") for stem in ("metrics",)),
            *(workspace.for_division(s, ALPHA, "csv") for s in ("gains", "shap_sample")),
            *(workspace.model(ALPHA) / name for name in ("model.pkl", "model.json")),
            workspace.model("Beta") / "metadata.json",
        ]
        found.append([path.read_bytes() for path in names])
    assert found[0] == found[1]


def test_the_labels_artifact_is_the_only_target(workspace: Workspace) -> None:
    with small(workspace) as run:
        write_star(run, sales(120))
        train(run, [ALPHA])
        day = dt.date.fromisoformat(read_json(workspace.output("training.json"))["cutoffs"][0])
        path = workspace.labels(ALPHA, day)
        before = pq.read_table(path)
        place = before.column_names.index("label")
        flipped = pa.array([1 - value for value in before.column("label").to_pylist()], pa.int8())
        with run.commit("labels") as change:
            change.arrow(before.set_column(place, "label", flipped), path)
        frame = load_frame(run, ALPHA, [day], 3)
        population = before.filter(pa.compute.equal(before.column("is_new_logo"), 0))
        assert frame.label.tolist() == [1 - v for v in population.column("label").to_pylist()]


def test_new_logos_and_censored_rows_never_train(workspace: Workspace) -> None:
    with small(workspace, **{"labels.mode": "all"}) as run:
        write_star(run, sales(120))
        train(run, [ALPHA])
        day = dt.date(2022, 12, 31)
        from gosales.features import ensure_features
        from gosales.labels import ensure_labels

        late = dt.date(2023, 11, 30)
        ensure_labels(run, [ALPHA], [day, late])
        ensure_features(run, [ALPHA], [day, late])
        frame = load_frame(run, ALPHA, [day, late], 3)
        labels = pq.read_table(workspace.labels(ALPHA, day))
        assert frame.left_out["new_logo"] == sum(labels.column("is_new_logo").to_pylist())
        assert frame.left_out["censored"] > 100
        assert set(frame.cutoff.tolist()) == {0}
    card = read_json(workspace.for_division("model_card", ALPHA, "json"))
    assert any(guard["rule"] == "new_logos" for guard in card["guardrails"])


def test_nothing_to_do_when_no_division_can_be_modelled(workspace: Workspace) -> None:
    with small(workspace) as run:
        write_star(run, sales(60))
        with pytest.raises(NothingToDo, match=r"Tiny: .* positive labels") as error:
            train(run, ["Tiny"])
    assert error.value.exit_code == 5
    assert "Tiny" in read_json(workspace.output("training.json"))["unmodelled"]


def test_clear_errors_for_cutoffs_and_windows(workspace: Workspace) -> None:
    with small(workspace) as run:
        write_star(run, sales(60))
        with pytest.raises(UsageError, match="2023-12-31 has not closed"):
            train(run, [ALPHA], [dt.date(2023, 12, 31)])
        with pytest.raises(UsageError, match="No order precedes"):
            train(run, [ALPHA], [dt.date(2020, 12, 31)])
        with pytest.raises(MissingArtifact, match="gosales features"):
            load_design(run, ALPHA, dt.date(2022, 1, 31))
        day = dt.date(2022, 12, 31)
        from gosales.features import ensure_features
        from gosales.labels import ensure_labels

        ensure_labels(run, [ALPHA], [day])
        ensure_features(run, [ALPHA], [day])
        with pytest.raises(StaleArtifact, match="another window than 6 months"):
            load_frame(run, ALPHA, [day], 6)


def test_the_window_of_the_call_is_the_window_of_the_labels(workspace: Workspace) -> None:
    cutoffs = [dt.date(2022, 12, 31), dt.date(2023, 3, 31), dt.date(2023, 6, 30)]
    with small(workspace) as run:
        write_star(run, sales(120))
        report = train(run, [ALPHA], cutoffs, window_months=6, calibration=["platt"])
    assert (report.window_months, list(report.cutoffs)) == (6, cutoffs)
    metadata = read_json(workspace.model(ALPHA) / "metadata.json")
    assert metadata["window_months"] == 6
    assert report.modelled[0].protocol == "temporal"  # as in the specification's own command


def test_a_training_that_fails_leaves_the_old_model_whole(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    module = importlib.import_module("gosales.models.train")
    folder = copied.model("Beta")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def killed(run: Any, job: Any, result: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write", killed)
    with pytest.raises(KeyboardInterrupt), opened(copied) as run:
        train(run, ["Beta"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with opened(copied) as run:
        assert load_model(run, folder).division == "Beta"


def test_censoring_and_cohorts_are_consistent(trained: Workspace) -> None:
    with opened(trained) as run:
        design = load_design(run, "Beta", dt.date(2023, 9, 30))
        frame = load_frame(run, "Beta", [dt.date(2023, 9, 30)], 3)
    owned = dict(zip(design.customers, design.owned(), strict=True))
    assert np.array_equal(frame.owned, [owned[c] for c in frame.customers])
