"""Enrichment: matching by id, name and fuzzy name, and what it does with untidy references."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gosales.checksum import content_sha256
from gosales.errors import ContractBreach
from gosales.etl.enrich import enrich
from gosales.etl.fuzzy import FuzzyRules, nearest_names
from gosales.etl.names import plain_name_key
from gosales.run import Run
from tests.conftest import OpenRun

PEOPLE: dict[str, str | None] = {
    "100": "Acme Corp",
    "0200": "Blue Harbor Engineering LLC",
    "300": "Northwind Traders",
    "400": "Contoso Precision Tools",
    "500": "Unknown Ltd",
    "600": "Store 12",
}
REFERENCE = """Customer ID,Customer-Name,Industry,Size,Orders
 100.0 ,Acme,Metal,10,7
,"BLUE HARBOR ENGINEERING, Inc.",Marine,20,8
0300,Somebody Else,Food,30,9
,Contso Precision Tool,Tools,40,
,Store 13,Retail,50,1
"""


EQUAL_ON_EVERY_ENGINE = "aded613c06bb02512e86b9975354fd1a2dcbdbc084564877620e03523307d29f"


def customers(run: Run, people: dict[str, str | None] = PEOPLE) -> Any:
    return run.engine.from_arrow(
        pa.table(
            {
                "customer_id": pa.array(people, pa.string()),
                "customer_name": pa.array(people.values(), pa.string()),
                "customer_name_key": pa.array(
                    [name and plain_name_key(name) for name in people.values()], pa.string()
                ),
            }
        )
    )


def write(run: Run, text: str, name: str = "enrichment.csv") -> Path:
    path = run.workspace.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def by_customer(run: Run, table: Any) -> dict[str, dict[str, Any]]:
    return {row["customer_id"]: row for row in run.engine.to_arrow(table).to_pylist()}


def enriched(
    run: Run, *files: str, people: dict[str, str | None] = PEOPLE
) -> dict[str, dict[str, Any]]:
    paths = [write(run, text, f"ref/enrichment{n}.csv") for n, text in enumerate(files)]
    return by_customer(run, enrich(run, customers(run, people), paths))


def test_a_customer_is_matched_by_id_then_name_then_fuzzy_name_on_every_engine(
    run_in: OpenRun, engine_name: str
) -> None:
    with run_in(**{"database.engine": engine_name}) as run:
        table = enrich(run, customers(run), [write(run, REFERENCE)])
        assert table.columns == (
            "customer_id", "customer_name", "customer_name_key",
            "industry", "orders_enriched", "size", "enrichment_match", "enrichment_score",
        )  # fmt: skip
        found = by_customer(run, table)
        checksum = content_sha256(run.engine.batches(table.order_by("customer_id")))
    assert {key: row["enrichment_match"] for key, row in found.items()} == {
        "100": "id", "0200": "name", "300": "none", "400": "fuzzy", "500": "none", "600": "none",
    }  # fmt: skip
    assert {key: row["industry"] for key, row in found.items() if row["industry"]} == {
        "100": "Metal", "0200": "Marine", "400": "Tools",
    }  # fmt: skip
    assert found["100"]["size"] == 10 and found["400"]["orders_enriched"] is None
    assert found["100"]["enrichment_score"] == 100.0 and found["300"]["enrichment_score"] == 0.0
    assert 88.0 <= found["400"]["enrichment_score"] < 100.0
    assert checksum == EQUAL_ON_EVERY_ENGINE


def test_leading_zeros_of_ids_count(run: Run) -> None:
    found = enriched(run, "customer_id,size\n0300,1\n0200,2\n")
    assert found["300"]["enrichment_match"] == "none"
    assert found["0200"]["size"] == 2


def test_numbers_in_names_are_never_fuzzy(run: Run) -> None:
    assert enriched(run, REFERENCE)["600"]["enrichment_match"] == "none"


def test_a_name_between_two_near_references_is_left_without_match(run: Run) -> None:
    found = enriched(
        run,
        "customer_name,size\nContoso Precision Toolz,1\nContoso Precision Toolx,2\n",
    )
    assert found["400"]["enrichment_match"] == "none"
    assert found["400"]["enrichment_score"] == 0.0


def test_rows_of_one_id_are_merged_and_a_disagreement_is_blank_and_told(run: Run) -> None:
    found = enriched(
        run,
        "customer_id,industry,size\n100,Metal,\n100,,5\n100,Metal,6\n",
        "customer_id,region\n100,West\n",
    )
    assert found["100"]["industry"] == "Metal"
    assert found["100"]["region"] == "West"
    assert found["100"]["size"] is None
    assert [w for w in run.warnings if "1 customer ids" in w and "size 1" in w]


def test_attributes_known_by_id_reach_a_customer_matched_by_name(run: Run) -> None:
    found = enriched(
        run, "customer_id,customer_name,size\nX1,Acme Inc,5\n", "customer_id,region\nX1,West\n",
        people={"1": "ACME"},
    )  # fmt: skip
    assert (found["1"]["enrichment_match"], found["1"]["size"], found["1"]["region"]) == (
        "name", 5, "West",
    )  # fmt: skip


def test_a_customer_without_a_name_gets_that_of_its_id_unless_there_are_two(
    run_in: OpenRun, engine_name: str
) -> None:
    reference = "customer_id,customer_name\n1,Acme\n1,ACME Inc.\n2,Blue\n2,Red\n3,Other\n4,\n"
    people = {"1": None, "2": None, "3": "Own Name", "4": None, "5": None}
    with run_in(**{"database.engine": engine_name}) as run:
        found = by_customer(run, enrich(run, customers(run, people), [write(run, reference)]))
    named = {key: (row["customer_name"], row["customer_name_key"]) for key, row in found.items()}
    nobody = (None, None)
    assert named == {
        "1": ("ACME Inc.", "acme"), "2": nobody, "3": ("Own Name", "own name"), "4": nobody,
        "5": nobody,
    }  # fmt: skip


def test_a_name_of_two_different_companies_matches_nobody_and_is_told(run: Run) -> None:
    found = enriched(run, "customer_name,industry\nAcme Corp,Metal\nACME LLC,Food\n")
    assert found["100"]["enrichment_match"] == "none"
    assert found["100"]["industry"] is None
    assert any("1 reference names" in w and "1 customers" in w for w in run.warnings)


def test_the_order_of_rows_and_files_does_not_matter(run: Run) -> None:
    lines = [f"{n % 40},Company {chr(97 + n % 26)}x{n % 7},{n % 3}" for n in range(200)]
    people = {str(n): f"Company {chr(97 + n % 26)}x" for n in range(60)}
    sums = set()
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        cut = 50 * (seed + 1)
        texts = [
            "customer_id,customer_name,size\n" + "\n".join(p) for p in (lines[:cut], lines[cut:])
        ]
        paths = [write(run, t, f"r{seed}/{n}.csv") for n, t in enumerate(texts)]
        table = enrich(run, customers(run, people), paths[::-1] if seed else paths)
        sums.add(content_sha256(run.engine.batches(table.order_by("customer_id"))))
    assert len(sums) == 1


def test_a_glob_that_matches_nothing_adds_no_attribute(run: Run) -> None:
    table = enrich(run, customers(run), [run.workspace.root / "lookup" / "enrichment*"])
    assert table.columns[3:] == ("enrichment_match", "enrichment_score")
    assert {row["enrichment_match"] for row in by_customer(run, table).values()} == {"none"}


def test_a_glob_a_folder_and_parquet_are_read(run: Run) -> None:
    write(run, "Customer_Name;Industry\nAcme;Metal\n", "lookup/enrichment_a.csv")
    folder = run.workspace.root / "lookup" / "enrichment_b.parquet"
    folder.mkdir()
    pq.write_table(
        pa.table({"CUSTOMERID": [300.0, None], "size": [1.5, float("nan")], "vip": [True, False]}),
        folder / "part-0.parquet",
    )
    found = by_customer(
        run, enrich(run, customers(run), [run.workspace.root / "lookup" / "enrichment*"])
    )
    assert found["100"]["industry"] == "Metal"
    assert (found["300"]["size"], found["300"]["vip"]) == (1.5, "true")
    again = by_customer(run, enrich(run, customers(run), [run.workspace.root / "lookup"]))
    assert again == found


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nokey.csv", "industry,size\nMetal,1\n", "neither a customer_id nor a customer_name"),
        ("empty.csv", "", "empty"),
        ("broken.parquet", "no parquet", "cannot be read"),
        ("book.xlsx", "x", "CSV or Parquet"),
        ("twice.csv", "customer_id,Sub Industry,sub_industry\n1,a,b\n", "sub_industry"),
    ],
)
def test_an_unusable_file_is_a_contract_breach_that_names_it(
    run: Run, name: str, content: str, told: str
) -> None:
    with pytest.raises(ContractBreach, match=told) as caught:
        enrich(run, customers(run), [write(run, content, f"lookup/{name}")])
    assert f"lookup/{name}" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_named_file_that_is_missing_is_a_contract_breach(run: Run) -> None:
    with pytest.raises(ContractBreach, match=r"missing\.csv"):
        enrich(run, customers(run), [run.workspace.root / "missing.csv"])


def test_a_column_stays_text_unless_every_value_is_a_number(run: Run) -> None:
    found = enriched(run, "customer_id,zip,score,code\n100,01234,1.5,7\n300,99999,2,A\n")
    assert (found["100"]["zip"], found["100"]["score"], found["100"]["code"]) == (
        "01234", 1.5, "7",
    )  # fmt: skip


def test_a_file_with_only_keys_matches_and_one_with_only_a_header_does_not(run: Run) -> None:
    found = enriched(run, "customer_id\n100\n", "customer_name,size\n")
    assert {key for key, row in found.items() if row["enrichment_match"] == "id"} == {"100"}
    assert {row["size"] for row in found.values()} == {None}


def test_no_customers_are_no_trouble(run: Run) -> None:
    assert enriched(run, REFERENCE, people={}) == {}


def test_a_row_with_too_many_cells_is_left_out_and_told(run: Run) -> None:
    found = enriched(run, "customer_id,size\n100,1\n300,2,9\n")
    assert found["100"]["size"] == 1 and found["300"]["size"] is None
    assert any("1 rows" in warning for warning in run.warnings)


def test_an_attribute_may_have_the_name_of_an_inner_column(run: Run) -> None:
    found = enriched(run, "customer_id,name key,company_id,link name,reference\n100,a,b,c,d\n")
    assert [found["100"][k] for k in ("name_key", "company_id", "link_name", "reference")] == [
        "a", "b", "c", "d",
    ]  # fmt: skip


def _slow_nearest(name: str, references: list[str], rules: FuzzyRules) -> int:
    from rapidfuzz import fuzz

    scored = sorted(
        ((max(fuzz.ratio(name, r), fuzz.token_sort_ratio(name, r)), r) for r in references),
        reverse=True,
    )
    lead = scored[0][0] - scored[1][0]
    good = scored[0][0] >= rules.threshold and lead >= rules.margin
    return references.index(scored[0][1]) if good else -1


def test_blocked_matching_finds_what_comparing_everything_finds() -> None:
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(4, 9))) for _ in range(300)]
    references = sorted({" ".join(draw.choices(words, k=draw.randint(1, 3))) for _ in range(400)})
    names = []
    for reference in draw.sample(references, 200):
        place = draw.randrange(len(reference))
        names.append((reference[:place] + draw.choice("xyz") + reference[place + 1 :]).strip())
    rules = FuzzyRules(88.0, 3.0, 500)
    found = nearest_names(names, references, rules).reference.tolist()
    expected = [_slow_nearest(name, references, rules) for name in names]
    assert sum(a == b for a, b in zip(found, expected, strict=True)) >= 0.97 * len(names)
    assert all(b in (a, -1) or a == -1 for a, b in zip(found, expected, strict=True))
