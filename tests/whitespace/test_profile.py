from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gosales.config import load_settings
from gosales.errors import NothingToDo
from gosales.run import open_run
from gosales.whitespace.attributes import Binning, binning, firmographics, learn, valued
from gosales.whitespace.profile import build_profiles, profile_table
from gosales.workspace import Workspace
from tests.conftest import OpenRun, fact, write_star
from tests.models.worlds import FLAGS
from tests.whitespace.lists import read_csv


def opened(workspace: Workspace, **flags: Any) -> Any:
    return open_run(workspace, load_settings(workspace.root, flags=FLAGS | flags), "test")


def test_texts_keep_their_values_and_numbers_fall_into_even_bins() -> None:
    texts = pa.chunked_array([["x", "y", None, "x"]])
    how = binning(texts)
    names, place = valued(texts, how)
    assert [names[p] for p in place] == ["x", "y", "unknown", "x"]
    names, place = valued(pa.chunked_array([["new"]]), how)
    assert names[place[0]] == "other"

    numbers = pa.chunked_array([[*map(float, range(100)), None]])
    how = binning(numbers)
    names, place = valued(numbers, how)
    assert np.bincount(place).tolist() == [20] * 5 + [1]
    assert names[0] == "under 20" and names[-2] == "80 or more" and names[-1] == "unknown"
    assert valued(pa.chunked_array([[19.9, 20.0]]), how)[1].tolist() == [0, 1]
    lone = pa.chunked_array([[3.0, 3.0]])
    assert binning(lone) == Binning(numeric=True)
    assert valued(lone, binning(lone))[0][0] == "any"
    close = pa.chunked_array([[10.0, 10.1, 10.2, 10.3, 0.002, 0.001]])
    names = valued(close, binning(close))[0]
    assert len(set(names)) == len(names)


def test_counts_and_lifts_are_those_of_a_plain_count() -> None:
    rng = np.random.default_rng(2)
    kind = rng.choice(["a", "b", "c"], 500)
    buyer = (rng.random(500) < np.where(kind == "a", 0.4, 0.05)).astype(float)
    rows = pa.table({"customer_id": [str(n) for n in range(500)], "kind": kind})
    table = profile_table(rows, learn(rows), buyer).to_pylist()
    assert sum(row["customers"] for row in table) == 500
    for row in table:
        mine = kind == row["value"]
        assert row["customers"] == mine.sum()
        assert row["buyers"] == buyer[mine].sum()
        assert row["lift"] == pytest.approx(buyer[mine].mean() / buyer.mean())
        assert row["lift_low"] <= row["lift"] <= row["lift_high"]
    assert table[0]["value"] == "a" and table[0]["q"] < 1e-6


def test_noise_is_seldom_called_a_sign() -> None:
    """Of 20 draws of 40 attributes that mean nothing, hardly one has a single discovery."""
    rng = np.random.default_rng(8)
    false = 0
    for _ in range(20):
        columns = {f"k{n}": rng.choice(["a", "b", "c"], 300) for n in range(40)}
        rows = pa.table({"customer_id": [str(n) for n in range(300)]} | columns)
        table = profile_table(rows, learn(rows), (rng.random(300) < 0.2).astype(float))
        false += min(table.column("q").to_pylist()) <= 0.05
    assert false <= 3


def test_profiles_and_look_alikes_of_a_workspace(copied: Workspace) -> None:
    with opened(copied) as run:
        report = build_profiles(run, ["Beta", "Tiny"])
    (profile,) = report.profiles
    assert profile.division == "Beta" and "Tiny" in report.skipped
    table = read_csv(copied, "icp_profile_beta.csv")
    head = ["attribute", "value", "customers", "buyers", "rate", "lift", "lift_low", "lift_high"]
    assert list(table[0])[:8] == head
    for attribute in {row["attribute"] for row in table}:
        mine = [row for row in table if row["attribute"] == attribute]
        assert sum(int(row["customers"]) for row in mine) == profile.customers
        assert sum(int(row["buyers"]) for row in mine) == profile.buyers
    alike = read_csv(copied, "icp_lookalikes_beta.csv")
    owners = {
        row["customer_id"]
        for row in read_csv(copied, "icp_scores.csv")
        if row["division_name"] == "Beta" and row["owned_before"] == "1"
    }
    assert not owners & {row["customer_id"] for row in alike}
    assert profile.look_alikes == len(alike)
    before = copied.output("icp_profile_beta.csv").read_bytes()
    with opened(copied) as run:
        build_profiles(run, ["Beta"])
    assert copied.output("icp_profile_beta.csv").read_bytes() == before


def test_a_sensitive_attribute_is_no_sign(run_in: OpenRun) -> None:
    with run_in() as run:
        write_star(
            run,
            [fact("a", "2023-01-01", "Alpha", 1)],
            [{"customer_id": "a", "industry": "Steel", "owner_gender": "f"}],
        )
        from gosales.etl.star import open_star

        star = open_star(run)
        table = firmographics(run, star, star.about.last_order)
        assert table.column_names == ["customer_id", "industry"]
        with pytest.raises(NothingToDo, match="too short"):
            build_profiles(run, ["Alpha"])
