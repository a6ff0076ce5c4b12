from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gosales.errors import ConfigError, NothingToDo
from gosales.run import Run
from gosales.whitespace import rank_whitespace
from tests.conftest import OpenRun, fact, write_star
from tests.models.worlds import read_json
from tests.whitespace.lists import LAST, pairs_of, write_scores

CUSTOMERS = ("a", "b", "c", "d")
STAR = [fact(name, "2023-06-01", "Alpha", 10, region="North") for name in CUSTOMERS] + [
    fact("a", "2023-07-01", "Alpha", 10, region=" south "),
    fact("b", "2021-01-01", "Beta", 10),
    fact("c", "2021-01-01", "Gamma", 10),
]
SCORES = [(name, division, 0.5, 50.0, 10.0) for name in CUSTOMERS for division in ("Beta", "Gamma")]


def ranked(run_in: OpenRun, files: dict[str, str] | None = None, **flags: Any) -> Any:
    """(pairs, removals, warnings) of the list; ``files`` are lists below the workspace."""
    dotted = {f"whitespace.{key}": value for key, value in flags.items()}
    with run_in(**dotted) as run:
        for name, text in (files or {}).items():
            (run.workspace.root / name).write_text(text, encoding="utf-8")
        write_star(run, STAR)
        write_scores(run, SCORES)
        return done(run)


def done(run: Run) -> Any:
    rank_whitespace(run)
    counts = read_json(run.workspace.output(f"whitespace_metrics_{LAST}.json"))["eligibility"]
    removed = {rule: n for rule, n in counts["removed"].items() if n}
    assert counts["candidates"] == len(SCORES)
    assert counts["candidates"] == counts["eligible"] + sum(removed.values())
    listed = sorted(pairs_of(run.workspace))
    assert len(listed) == counts["eligible"]
    return listed, removed, run.warnings


def test_a_customer_on_the_do_not_contact_list_is_out_everywhere(run_in: OpenRun) -> None:
    listed, removed, warnings = ranked(
        run_in,
        {"stop.csv": "Customer Id;note\n a ;x\n9;y\n"},
        **{"eligibility.do_not_contact": "stop.csv"},
    )
    assert "a" not in {customer for customer, _ in listed}
    assert removed == {"bought_before": 2, "do_not_contact": 2}
    assert any("1 of 2 rows name no customer" in line for line in warnings)


@pytest.mark.parametrize("written", ["7a", "007A", "0007a"])
def test_an_id_that_a_spreadsheet_changed_keeps_its_customers_out(run_in, written) -> None:
    pairs = [(name, "Beta", 0.5, 50.0, 10.0) for name in ("007a", "07A", "8")]
    with run_in(**{"whitespace.eligibility.do_not_contact": "stop.csv"}) as run:
        (run.workspace.root / "stop.csv").write_text(f"Kunden-Nr.\n{written}\n", encoding="utf-8")
        write_star(run, [fact(name, "2023-06-01", "Alpha", 10) for name, *_ in pairs])
        write_scores(run, pairs)
        rank_whitespace(run)
        assert pairs_of(run.workspace) == [("8", "Beta")]


def test_an_id_that_a_customer_has_means_no_other(run_in) -> None:
    pairs = [(name, "Beta", 0.5, 50.0, 10.0) for name in ("007", "07")]
    with run_in(**{"whitespace.eligibility.do_not_contact": "stop.csv"}) as run:
        (run.workspace.root / "stop.csv").write_text("customer_id\n07\n", encoding="utf-8")
        write_star(run, [fact(name, "2023-06-01", "Alpha", 10) for name, *_ in pairs])
        write_scores(run, pairs)
        rank_whitespace(run)
        assert pairs_of(run.workspace) == [("007", "Beta")]


def test_a_list_may_name_customers_by_name(run_in: OpenRun) -> None:
    _, removed, _ = ranked(
        run_in, {"s.csv": "account name\nCUSTOMER D\n"}, **{"eligibility.do_not_contact": "s.csv"}
    )
    assert removed["do_not_contact"] == 2


def test_an_open_deal_blocks_its_division_or_all(run_in: OpenRun) -> None:
    listed, removed, warnings = ranked(
        run_in,
        {"deals.csv": "customer_id,division\na,beta\nd,\nc,Delta\n"},
        **{"eligibility.open_deals": "deals.csv"},
    )
    assert removed == {"bought_before": 2, "open_deals": 3}
    assert ("a", "Gamma") in listed and ("a", "Beta") not in listed
    assert any("no division Delta" in line for line in warnings)


def test_recent_contacts_block_for_their_days(run_in: OpenRun) -> None:
    text = "customer_id,division,contact_date\na,,31.12.2023\nb,Gamma,01.12.2023\nd,Beta,30.11.2023"
    flags = {"eligibility.recent_contacts": "c.csv", "eligibility.recent_contact_days": 31}
    listed, removed, _ = ranked(run_in, {"c.csv": text}, **flags)
    assert removed["recent_contacts"] == 3  # a twice, b; the last day of d's rest is over
    assert ("d", "Beta") in listed


def test_only_allowed_regions_by_the_newest_order(run_in: OpenRun) -> None:
    listed, removed, _ = ranked(run_in, **{"eligibility.allowed_regions": ["NORTH"]})
    assert "a" not in {customer for customer, _ in listed}
    assert removed == {"bought_before": 2, "allowed_regions": 2}
    again, _, _ = ranked(
        run_in, {"r.csv": "region\nnorth\n"}, **{"eligibility.allowed_regions": "r.csv"}
    )
    assert again == listed


def test_fewest_orders(run_in: OpenRun) -> None:
    listed, removed, _ = ranked(run_in, **{"eligibility.min_orders": 2})
    assert removed == {"bought_before": 2, "min_orders": 2}
    assert {customer for customer, _ in listed} == {"a", "b", "c"}
    with pytest.raises(NothingToDo, match="all 8 pairs are removed"):
        ranked(run_in, **{"eligibility.min_orders": 9})


def test_a_division_not_bought_for_long_is_open_again(run_in: OpenRun) -> None:
    listed, removed, _ = ranked(run_in, reopen_months=36)
    assert ("b", "Beta") not in listed  # bought exactly within: 2021-01-01 > 2020-12-31
    listed, removed, _ = ranked(run_in, reopen_months=35)
    assert removed == {}
    assert ("b", "Beta") in listed


def test_a_pair_is_charged_to_the_first_rule(run_in: OpenRun) -> None:
    flags = {
        "eligibility.do_not_contact": "s.csv",
        "eligibility.open_deals": "s.csv",
        "eligibility.min_orders": 2,
    }
    _, removed, _ = ranked(run_in, {"s.csv": "customer_id\nb\nd\n"}, **flags)
    assert removed == {"bought_before": 2, "min_orders": 2, "do_not_contact": 1}


def test_lists_from_parquet_and_from_a_database(run_in: OpenRun, tmp_path) -> None:
    pq.write_table(pa.table({"customer_id": ["a"], "contact_date": [LAST]}), tmp_path / "c.parquet")
    with sqlite3.connect(tmp_path / "crm.db") as crm:
        crm.execute("create table stop (customer_id text)")
        crm.execute("insert into stop values ('d')")
    _, removed, _ = ranked(
        run_in,
        **{
            "eligibility.recent_contacts": str(tmp_path / "c.parquet"),
            "eligibility.do_not_contact": {"url": f"sqlite:///{tmp_path}/crm.db", "table": "stop"},
        },
    )
    assert removed == {"bought_before": 2, "do_not_contact": 2, "recent_contacts": 2}


@pytest.mark.parametrize(
    ("flags", "text", "said"),
    [
        ({"eligibility.open_deals": "none.csv"}, "", "open_deals: The file none.csv does not"),
        (
            {"eligibility.open_deals": "s.csv"},
            "note\nx\n",
            "no column customer_id or customer_name",
        ),
        ({"eligibility.recent_contacts": "s.csv"}, "customer_id\na\n", "no column contact_date"),
        (
            {"eligibility.recent_contacts": "s.csv"},
            "customer_id,contact_date\na,soon\n",
            "1 rows have no contact_date",
        ),
        ({"eligibility.allowed_regions": "s.csv"}, "area\nx\n", "no column region"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(run_in: OpenRun, flags, text, said) -> None:
    with pytest.raises(ConfigError, match=said):
        ranked(run_in, {"s.csv": text} if text else None, **flags)


def test_pairs_rest_after_a_list_and_a_second_run_changes_nothing(run_in: OpenRun) -> None:
    flags = {"whitespace.cooldown_days": 30, "whitespace.capacity_percent": 34}
    later = LAST + dt.timedelta(days=20)
    with run_in(**flags) as run:
        write_star(run, [*STAR, fact("d", "2024-01-10", "Alpha", 1)])
        write_scores(run, SCORES)
        first = rank_whitespace(run)
        handed = pairs_of(run.workspace)[: first.listed]
        assert first.removed["cooldown"] == 0 and first.listed == 3
        write_scores(run, SCORES, later)
        second = rank_whitespace(run)
        # d has ordered since, so the pairs of d are open again.
        resting = {pair for pair in handed if pair[0] != "d"}
        assert resting and second.removed["cooldown"] == len(resting)
        assert not resting & set(pairs_of(run.workspace))
        names = ["whitespace.csv", "whitespace_ledger.parquet", f"whitespace_metrics_{later}.json"]
        before = [run.workspace.output(name).read_bytes() for name in names]
        rank_whitespace(run)
        assert [run.workspace.output(name).read_bytes() for name in names] == before
        told = read_json(run.workspace.output(f"whitespace_metrics_{later}.json"))["stability"]
        assert told["previous_cutoff"] == str(LAST)
