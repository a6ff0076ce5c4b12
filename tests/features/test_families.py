"""Each family against an independent oracle in plain Python, on small random logs."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter

import pytest

from gosales.features import build_features, features_of
from tests.conftest import OpenRun, write_star
from tests.features import oracle
from tests.features.logs import ATTRIBUTES, DIVISIONS, TOLD, by_customer, random_log, read

CUTOFFS = [dt.date(2023, 6, 30), dt.date(2024, 2, 29), dt.date(2024, 3, 30), dt.date(2024, 8, 15)]
FAMILIES = (
    "margin",
    "rfm",
    "lifecycle",
    "trajectory",
    "season",
    "diversity",
    "returns",
    "xdiv",
    "affinity",
    "als",
)


def assert_close(name: str, got: float | None, want: float | None) -> None:
    if want is None or got is None:
        assert got is want, f"{name}: {got} instead of {want}"
    else:
        assert math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9), f"{name}: {got}, not {want}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_feature_equals_the_oracle(run_in: OpenRun, seed: int) -> None:
    log = random_log(seed, customers=25)
    there = {line["customer_id"] for line in log}
    texts = Counter(ATTRIBUTES[customer]["industry"] for customer in there & set(ATTRIBUTES))
    common = sorted(t for t, n in texts.items() if t and n >= 5)
    with run_in(**{"features.gp_winsor_p": 1.0, "features.affinity": False}) as run:
        write_star(run, log, TOLD)
        build_features(run, ["all"], CUTOFFS)
        for cutoff in CUTOFFS:
            for division in DIVISIONS:
                found = by_customer(read(run, division, cutoff))
                wanted = oracle.features(log, cutoff, division)
                oracle.add_attributes(wanted, ATTRIBUTES, {"industry": common})
                assert sorted(found) == sorted(wanted)
                for customer, row in found.items():
                    assert set(row) == set(wanted[customer])
                    for name, value in row.items():
                        where = f"{division} {cutoff} {customer} {name}"
                        assert_close(where, value, wanted[customer][name])


def test_every_family_is_there_and_declares_the_core_names() -> None:
    names = [f.name for f in features_of({"pdm": "PDM"})]
    assert {name.split("__")[0] for name in names} == set(FAMILIES)
    core = {
        f"rfm__{scope}__{measure}__{window}"
        for scope in ("all", "div")
        for measure in ("tx_n", "gp_sum", "gp_mean")
        for window in ("3m", "6m", "12m", "24m", "life")
    }
    core |= {f"rfm__{scope}__recency_days__life" for scope in ("all", "div")}
    core |= {
        f"lifecycle__all__{m}__life"
        for m in ("tenure_days", "active_months", "gap_days_mean", "gap_days_last")
    }
    core |= {f"trajectory__all__{m}_{s}__12m" for m in ("gp", "tx") for s in ("slope", "std")}
    core |= {f"season__all__q{q}_share__24m" for q in (1, 2, 3, 4)}
    core |= {"xdiv__div__gp_share__12m", "xdiv__pdm__gp_share__12m"}
    core |= {"diversity__all__divisions_n__12m", "diversity__all__skus_n__12m"}
    core |= {f"returns__{scope}__{m}__12m" for scope in ("all", "div") for m in ("n", "rate")}
    core |= {f"affinity__div__lift_{m}__24m" for m in ("max", "mean")}
    assert core <= set(names)
    assert len(names) == len(set(names))


def test_no_name_holds_a_literal_date_or_year() -> None:
    for feature in features_of({"pdm": "PDM"}):
        assert not any(str(year) in feature.name for year in range(1990, 2060))


def test_the_examples_in_docstrings_hold() -> None:
    import doctest

    import gosales.features.declared as declared
    import gosales.labels.spec as spec

    for module in (declared, spec):
        result = doctest.testmod(module)
        assert result.attempted
        assert not result.failed
