"""Why a slice is late, refused, or as it is."""

import json

import pytest

from tests.sql.project_files import on_orders
from tests.sql.warehouse_project import WarehouseProject

DAYS = [f"2013-01-{day:02}" for day in range(1, 5)]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    files = on_orders(
        {
            "flat": "select id from {{ source('erp', 'orders') }}",
            "report": "select count(*) as n from {{ ref('flat') }}",
            "summary": "select n from {{ ref('report') }}",
        },
        {"orders": {"owner": "erp-team"}, "flat": {"owner": "sales"}, "report": {"owner": "board"}},
        {"flat": [{"name": "id", "data_tests": ["unique"]}]},
    )
    return WarehouseProject(tmp_path_factory.mktemp("project"), files)


@pytest.fixture
def project(parsed):
    parsed.begin_anew()
    for ds in DAYS[:3]:
        parsed.land("orders", ds, "select 1 as id", "id int")
    return parsed


def test_one_sentence_says_where_it_begins_and_whose_that_is(run, project):
    for ds in DAYS[:2]:
        project.build(ds)
    code, out, _ = run("why", "report", DAYS[3])
    sentence, *chain = out.splitlines()
    assert code == 0
    assert sentence == f"report {DAYS[3]} is late; waits for erp.orders {DAYS[3]}, which is late; owner erp-team"
    assert chain == [
        f"  report {DAYS[3]}: late",
        f"    flat {DAYS[3]}: late",
        f"      erp.orders {DAYS[3]}: late, nothing is in its way",
        "read by: summary",
    ]
    _, out, _ = run("why", "report", DAYS[2])
    assert f"waits for flat {DAYS[2]}, which is late; owner sales" in out


def test_what_refused_it_is_shown(run, project):
    project.land("orders", DAYS[0], "select * from (values (1), (1)) as v(id)", "id int")
    project.build(DAYS[0])
    _, out, _ = run("why", "flat", DAYS[0])
    sentence = out.splitlines()[0]
    assert sentence.endswith(
        f"its last try was refused: flat {DAYS[0]} was refused by 1 of 1 audits; the published slice is as it was"
    )
    assert "unique_flat_id: 1 failing; to see them:" in out
    document = json.loads(run("why", "flat", DAYS[0], "--json")[1])
    (said,) = document["failed"]
    query = said.split("to see them:\n")[1]
    assert project.query(query) == [(1, 2)]


def test_a_slice_that_stands_says_what_it_was_made_of(run, project):
    project.build(DAYS[0])
    _, out, _ = run("why", "report", DAYS[0])
    sentence, *chain = out.splitlines()
    assert "with 1 rows; it is what would be made now" in sentence
    assert [line.strip().split(":")[0] for line in chain[:3]] == [
        f"report {DAYS[0]}",
        f"flat {DAYS[0]}",
        f"erp.orders {DAYS[0]}",
    ]
    project.land("orders", DAYS[0], "select 2 as id", "id int")
    document = json.loads(run("why", "flat", DAYS[0], "--json")[1])
    assert document["state"] == "stale"
    assert f"stale: input newer: erp.orders {DAYS[0]}" in document["sentence"]
    assert document["downstream"] == ["report", "summary"]
    assert document["receipt"]["logic"]
