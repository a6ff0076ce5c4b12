"""The ALS embeddings: they separate tastes, and nothing but what was bought moves them."""

from __future__ import annotations

import datetime as dt
import importlib.util
from typing import Any

import pytest

from gosales.errors import MissingExtraError
from gosales.features import build_features
from gosales.run import Run
from tests.conftest import OpenRun, fact, write_star
from tests.features.logs import by_customer, read

CUTOFF = dt.date(2024, 6, 30)
FACTORS = [f"als__all__f{n}__24m" for n in range(16)]
SIMILARITY = "als__div__similarity__24m"


def two_tastes() -> list[dict[str, Any]]:
    """Customers of A, half of whom also buy PDM, and customers of B, who do not."""
    lines = []
    for n in range(40):
        taste = "AB"[n % 2]
        skus = (f"{taste}{n % 3}", f"{taste}{(n + 1) % 3}")
        lines += [fact(f"c{n:02d}", "2024-03-01", taste, 5, product_sku=sku) for sku in skus]
        if n % 4 == 0:
            lines.append(fact(f"c{n:02d}", "2024-03-02", "PDM", 5))
    return lines


def rows(run: Run, lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    write_star(run, lines)
    build_features(run, ["PDM"], [CUTOFF])
    return by_customer(read(run, "PDM", CUTOFF))


@pytest.fixture
def als_run(run_in: OpenRun) -> Any:
    with run_in(**{"features.als": True}) as run:
        yield run


def test_who_shares_a_taste_is_near_and_strangers_to_it_are_not(als_run: Run) -> None:
    found = rows(als_run, two_tastes())
    new = {key: row for key, row in found.items() if not row["xdiv__pdm__owned__life"]}
    near = [row[SIMILARITY] for key, row in new.items() if int(key[1:]) % 2 == 0]
    far = [row[SIMILARITY] for key, row in new.items() if int(key[1:]) % 2]
    assert min(near) > 0.7 > 0.3 > max(far)
    twins = [tuple(found[key][name] for name in FACTORS) for key in ("c01", "c07")]
    assert twins[0] == twins[1] != tuple(found["c03"][name] for name in FACTORS)


def test_names_of_customers_do_not_move_a_bit(als_run: Run) -> None:
    lines = two_tastes()
    plain = rows(als_run, lines)
    turned = rows(
        als_run, [line | {"customer_id": f"{99 - int(line['customer_id'][1:])}"} for line in lines]
    )
    assert {f"{99 - int(key[1:])}": row for key, row in plain.items()} == turned


def test_axes_keep_their_meaning_from_one_cutoff_to_the_next(als_run: Run) -> None:
    lines = [*two_tastes(), fact("c00", "2024-05-15", "A", 5, product_sku="A0")]
    write_star(als_run, lines)
    before = dt.date(2024, 4, 30)
    build_features(als_run, ["PDM"], [before, CUTOFF])
    old, new = (by_customer(read(als_run, "PDM", day)) for day in (before, CUTOFF))
    for name in FACTORS[:2]:
        assert all(new[key][name] == pytest.approx(old[key][name], abs=0.2) for key in old)
        assert max(abs(row[name]) for row in new.values()) > 0.4


@pytest.mark.parametrize("customers", [1, 3])
def test_the_smallest_logs_have_all_columns(als_run: Run, customers: int) -> None:
    lines = [fact(f"c{n}", "2024-05-01", "PDM", 5) for n in range(customers)]
    lines.append(fact("gone", "2020-01-01", "PDM", 5))
    found = rows(als_run, lines)
    assert all(found["c0"][name] is not None for name in FACTORS)
    assert {found["gone"][name] for name in (*FACTORS, SIMILARITY)} == {None}
    assert found["c0"][SIMILARITY] is None  # nothing bought elsewhere


def test_without_the_extra_the_error_names_it(
    als_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "implicit" else plain(name)
    )
    with pytest.raises(MissingExtraError, match=r"features\.als.*extra 'als'") as caught:
        build_features(als_run, ["PDM"], [CUTOFF])
    assert (caught.value.exit_code, "gosales[als]" in caught.value.remedy) == (2, True)
