"""Settings: precedence, where each came from, and clear refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gosales.config import PACKAGED, Settings, find_config, load_settings
from gosales.errors import ConfigError

DOCS = Path(__file__).parent.parent / "docs" / "configuration.md"


def config(tmp_path: Path, text: str, name: str = "config.yaml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path: Path, text: str) -> str:
    config(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_a_file_the_packaged_defaults_hold(tmp_path: Path) -> None:
    resolved = load_settings(tmp_path)
    assert resolved.settings.database.engine == "duckdb"
    assert set(resolved.origin) == {".".join(leaf) for leaf in Settings.leaves()}
    assert all(where.startswith("defaults:") for where in resolved.origin.values())


def test_flags_beat_environment_beats_file_beats_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config(tmp_path, "labels:\n  window_months: 9\n  mode: all\n  gp_min_threshold: 5\n")
    monkeypatch.setenv("GOSALES_LABELS__WINDOW_MONTHS", "7")
    monkeypatch.setenv("GOSALES_LABELS__MODE", "expansion")
    resolved = load_settings(tmp_path, flags={"labels.window_months": 3, "labels.mode": None})
    labels = resolved.settings.labels
    assert (labels.window_months, labels.mode, labels.gp_min_threshold) == (3, "expansion", 5.0)
    assert resolved.origin["labels.window_months"] == "flag"
    assert resolved.origin["labels.mode"] == "environment GOSALES_LABELS__MODE"
    assert resolved.origin["labels.gp_min_threshold"] == f"{file}:4"
    assert resolved.origin["labels.denylist_skus_csv"].startswith("defaults:")


def test_the_config_named_by_flag_beats_environment_beats_the_workspaces_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged_place = config(tmp_path, "", "gosales/config.yaml")
    assert find_config(tmp_path, None) == packaged_place
    own = config(tmp_path, "")
    assert find_config(tmp_path, None) == own
    named = config(tmp_path, "", "a.yaml")
    monkeypatch.setenv("GOSALES_CONFIG", str(named))
    assert find_config(tmp_path, None) == named
    flagged = config(tmp_path, "", "b.yaml")
    assert find_config(tmp_path, Path("b.yaml")) == flagged


def test_a_named_config_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist"):
        load_settings(tmp_path, Path("nowhere.yaml"))


def test_an_unknown_key_is_told_with_file_line_and_nearest_key(tmp_path: Path) -> None:
    told = refusal(tmp_path, "etl:\n  layout: long\n  date_oder: mdy\n")
    assert "config.yaml:3" in told
    assert "unknown setting 'etl.date_oder'" in told
    assert "'etl.date_order'" in told


def test_an_unknown_environment_key_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSALES_LABELS__WINDOWS", "3")
    with pytest.raises(ConfigError, match=r"environment GOSALES_LABELS__WINDOWS.*\n.*nearest"):
        load_settings(tmp_path)


@pytest.mark.parametrize("text", ["etl: 5\n", "etl: [a]\n", "etl: text\n"])
def test_a_value_where_a_section_is_expected_is_told_as_such(tmp_path: Path, text: str) -> None:
    told = refusal(tmp_path, text)
    assert "config.yaml:1: 'etl' is a section and takes keys" in told
    assert "'etl." in told.splitlines()[1]


def test_a_value_for_an_inner_section_is_told_as_such(tmp_path: Path) -> None:
    told = refusal(tmp_path, "etl:\n  enrichment: 3\n")
    assert "config.yaml:2: 'etl.enrichment' is a section" in told


@pytest.mark.parametrize("text", ["foo: {}\n", "foo:\n", "foo: 3\n", "foo:\n  bar: 1\n"])
def test_an_unknown_section_is_refused_even_when_empty(tmp_path: Path, text: str) -> None:
    assert "unknown setting 'foo" in refusal(tmp_path, text)


@pytest.mark.parametrize("text", ["etl: {}\n", "etl:\n", "", "# only a comment\n"])
def test_a_known_section_without_keys_changes_nothing(tmp_path: Path, text: str) -> None:
    config(tmp_path, text)
    assert load_settings(tmp_path).settings == load_settings(tmp_path / "none").settings


def test_all_wrong_values_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    told = refusal(
        tmp_path,
        "labels:\n  window_months: 0\n  mode: some\netl:\n  date_bounds: ['2020-01-01', x]\n"
        "features:\n  windows_months: [3]\n",
    )
    assert "config.yaml:2: 'labels.window_months' = 0" in told
    assert "config.yaml:3: 'labels.mode' = 'some'" in told
    assert "config.yaml:5: 'etl.date_bounds" in told
    assert "config.yaml:7: 'features.windows_months' = [3]: 12 must be among" in told


@pytest.mark.parametrize(
    "text", ["etl: [unclosed\n", "- a list\n", "just text\n", "etl:\n  layout: !!python/name:x y\n"]
)
def test_a_file_that_is_no_settings_is_told_by_name(tmp_path: Path, text: str) -> None:
    assert "config.yaml" in refusal(tmp_path, text)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xef\xbb\xbfetl:\n  layout: wide\n")
    assert load_settings(tmp_path).settings.etl.layout == "wide"


def test_latin_bytes_in_the_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"etl:\n  encoding: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("GOSALES_ETL__SOURCES", "[a.csv, b.csv]", ("etl", "sources"), ["a.csv", "b.csv"]),
        ("GOSALES_ETL__DELIMITER", "|", ("etl", "delimiter"), "|"),
        ("GOSALES_ETL__DELIMITER", ";", ("etl", "delimiter"), ";"),
        ("GOSALES_MODELING__LR_GRID__C", "[1.5]", ("modeling", "lr_grid", "C"), [1.5]),
        ("GOSALES_FEATURES__MISSING_FLAGS", "true", ("features", "missing_flags"), True),
    ],
)
def test_environment_values_are_read_as_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str,
    path: tuple[str, ...], value: object,
) -> None:  # fmt: skip
    monkeypatch.setenv(name, text)
    found: object = load_settings(tmp_path).settings
    for part in path:
        found = getattr(found, part)
    assert found == value


def test_a_free_mapping_replaces_the_default_as_a_whole(tmp_path: Path) -> None:
    config(tmp_path, "etl:\n  source_columns: {gross_profit: gp}\ndatabase:\n  spark: {a.b: 1}\n")
    settings = load_settings(tmp_path).settings
    assert settings.etl.source_columns == {"gross_profit": "gp"}
    assert settings.database.spark == {"a.b": 1}


def test_settings_cannot_be_changed_after_loading(tmp_path: Path) -> None:
    settings = load_settings(tmp_path).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.etl.layout = "wide"


def test_every_default_has_a_comment() -> None:
    lines = PACKAGED.read_text(encoding="utf-8").splitlines()
    lonely = [
        line for line in lines
        if ":" in line and "#" not in line and not line.rstrip().endswith(":")
        and not line.startswith("    ")
    ]  # fmt: skip
    assert not lonely


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("run: {cutoff_date: 2024-02-30}", "run.cutoff_date", "valid date"),
        ("run: {cutoff_date: 9999-12-31}", "run.cutoff_date", "less than"),
        ("run: {cutoff_date: now}", "run.cutoff_date", "or: Input should be 'auto'"),
        ("modeling: {cutoffs: [2024-13-01]}", "modeling.cutoffs.0", "month"),
        ("whitespace: {weights: {probability: 0}}", "whitespace.weights", "greater than 0"),
        ("whitespace: {weights: {affinity: -1}}", "whitespace.weights.affinity", "greater than"),
        ("whitespace: {weights: lerned}", "whitespace.weights", "or: Input should be 'learned'"),
        ("etl: {sources: [{url: 3}]}", "etl.sources.0.url", "valid string"),
    ],
)
def test_a_value_of_several_kinds_is_refused_once_in_the_words_of_the_settings(
    tmp_path: Path, text: str, path: str, said: str
) -> None:
    (line,) = refusal(tmp_path, text).splitlines()[:-1]
    assert f":1: '{path}' = " in line and said in line


def test_defaults_that_somebody_cut_short_are_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a clone, gosales/config.yaml is the defaults."""
    short = config(tmp_path, "labels:\n  window_months: 3\n", "gosales/config.yaml")
    monkeypatch.setattr("gosales.config.PACKAGED", short)
    said = refusal(tmp_path, "")
    assert "holds the defaults and must keep every setting" in said and len(said.splitlines()) == 2


def test_a_day_that_does_not_exist_in_the_environment_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSALES_RUN__CUTOFF_DATE", "2024-02-30")
    assert "environment GOSALES_RUN__CUTOFF_DATE: 'run.cutoff_date'" in refusal(tmp_path, "")


def test_a_password_in_a_wrong_value_is_not_shown(tmp_path: Path) -> None:
    told = refusal(tmp_path, "etl:\n  sources: postgres://ann:hush@host/db\n")
    assert "hush" not in told and "'etl.sources' = a URL" in told


def documented(tree: dict[str, Any], comments: dict[str, str], prefix: str = "") -> list[str]:
    """The table rows that docs/configuration.md must have for the packaged config.yaml."""
    rows = []
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if Settings.field_kind(tuple(path.split("."))) == "section":
            rows += documented(value, comments, f"{path}.")
        else:
            shown = json.dumps(value, default=str)
            rows.append(f"| `{path}` | `{shown}` | {comments.get(path, '')} |")
    return rows


def comments_of(text: str) -> dict[str, str]:
    """The comment on each key's line of config.yaml, by dotted key."""
    found: dict[str, str] = {}
    open_keys: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"( *)(\w+):(.*)", line)
        if match is None:
            continue
        indent = len(match[1])
        open_keys = [*[item for item in open_keys if item[0] < indent], (indent, match[2])]
        _, mark, comment = match[3].partition(" # ")
        if mark:
            found[".".join(key for _, key in open_keys)] = comment.strip().replace("|", "\\|")
    return found


def test_the_documentation_has_every_setting_with_its_default_and_comment() -> None:
    text = PACKAGED.read_text(encoding="utf-8")
    wanted = documented(yaml.safe_load(text), comments_of(text))
    page = DOCS.read_text(encoding="utf-8").splitlines()
    missing = [row for row in wanted if row not in page]
    stale = [row for row in page if row.startswith("| `") and row not in wanted]
    told = "\n".join(["Add:", *missing, "Take out:", *stale])
    assert not (missing or stale), f"docs/configuration.md is behind config.yaml.\n{told}"


def test_the_specifications_config_path_is_the_packaged_file_away_from_a_checkout(
    tmp_path: Path,
) -> None:
    found = find_config(tmp_path, Path("gosales/config.yaml"))
    assert found is not None and found.samefile(PACKAGED)
    assert load_settings(tmp_path, Path("gosales/config.yaml")).settings.etl.layout == "auto"
