"""What an operator asks, on Trino: status, why, the calendar page, a slice as it was."""

import json
from datetime import UTC, datetime

import pytest

import dayslice

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events, owner: erp-team}}
    tables: [{name: orders}]
models:
  - {name: flat, config: {meta: {slice: events, owner: sales}}, columns: [{name: id, data_tests: [unique]}]}
  - {name: report, config: {meta: {slice: events}}}
"""
FILES = {
    "models/models.yml": YAML,
    "models/flat.sql": "select id from {{ source('erp', 'orders') }}",
    "models/report.sql": "select count(*) as n from {{ ref('flat') }}",
}
DAYS = [f"2013-01-{day:02}" for day in range(1, 5)]


@pytest.fixture(scope="module")
def engine():
    return "trino"


@pytest.fixture(scope="module")
def project(make_project, emptied):
    """Day 1 stale, day 2 refused, day 3 waits, day 4 lacks its import."""
    made = emptied(make_project(FILES))
    made.land("orders", DAYS[0], "values (1)", "id int")
    made.build(DAYS[0])
    made.before = datetime.now(UTC)
    made.land("orders", DAYS[0], "values (1), (2)", "id int")
    made.build(DAYS[0], "flat")
    made.land("orders", DAYS[1], "values (1), (1)", "id int")
    made.build(DAYS[1])
    made.land("orders", DAYS[2], "values (3)", "id int")
    return made


def test_states_are_told_apart(run, project):
    found = json.loads(run("status", "--target", "trino", "--from", DAYS[0], "--to", DAYS[3], "--json")[1])
    states = {(each["table"], each["ds"]): each["state"] for each in found}
    assert [states["flat", ds] for ds in DAYS] == ["published", "refused", "late", "late"]
    assert states["report", DAYS[0]] == "stale"
    assert states["erp.orders", DAYS[3]] == "late"


def test_why_names_the_cause_and_what_refused_it(run, project):
    code, out, _ = run("why", "report", DAYS[3], "--target", "trino")
    assert code == 0
    assert out.splitlines()[0] == (
        f"report {DAYS[3]} is late; waits for erp.orders {DAYS[3]}, which is late; owner erp-team"
    )
    code, out, _ = run("why", "flat", DAYS[1], "--target", "trino")
    assert "its last try was refused: flat 2013-01-02 was refused by 1 of 1 audits" in out.splitlines()[0]
    query = out.split("to see them:\n")[1].split("\nread by")[0]
    assert project.query(query.strip()) == [(1, 2)]
    document = json.loads(run("why", "report", DAYS[0], "--target", "trino", "--json")[1])
    assert document["state"] == "stale"
    assert f"input newer: analytics.flat {DAYS[0]}" in document["sentence"]


def test_the_page_and_the_metrics(run, project, tmp_path):
    page, metrics = tmp_path / "calendar.html", tmp_path / "dayslice.prom"
    written = ("--html", str(page), "--prometheus", str(metrics))
    code, _, err = run("status", "--target", "trino", *written, "--from", DAYS[0], "--to", DAYS[3])
    assert (code, err) == (0, "")
    head = json.loads(page.read_text().split('id="head">')[1].split("</script>")[0])
    assert {each["n"]: each["s"] for each in head["tables"]} == {
        "erp.orders": "PPPL", "flat": "PRLL", "report": "SLLL",
    }  # fmt: skip
    assert 'dayslice_refused_slices{table="flat",owner="sales",target="trino"} 1' in metrics.read_text()


def test_a_slice_as_it_was(project):
    then = dayslice.read("flat", ds=DAYS[0], as_of=project.before, target="trino", project=project.root)
    assert list(then) == [(1, DAYS[0])]
    whole = dayslice.read("flat", as_of=project.before, target="trino", project=project.root)
    assert list(whole) == [(1, DAYS[0])]
    now = dayslice.read("flat", ds=DAYS[0], target="trino", project=project.root)
    assert sorted(now) == [(1, DAYS[0]), (2, DAYS[0])]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("select * from flat", ["1,2013-01-01"]),
        ("select id from analytics.flat_latest", ["1"]),
        ("select id from flat where ds = '2013-01-02'", []),
        (
            "with own as (select * from ids f where ds >= '2013-01-01') "
            "select count(*), max(own.id), min(r.n) from own join report r on r.ds = own.ds",
            ["1,1,1"],
        ),
    ],
)
def test_a_query_is_answered_as_it_was(run, project, statement, rows):
    project.query("create or replace view analytics.ids as select id, ds from analytics.flat")
    project.query("create or replace view flat_latest as select * from hive.analytics.flat where ds = '2013-01-01'")
    stages = project.staged()
    words = ["--target", "trino", "--csv", "--as-of", project.before.isoformat()]
    code, out, err = run("sql", statement, *words)
    assert (code, out.splitlines()[1:]) == (0, rows), err
    assert "analytics.flat as of 20" in err
    assert "is known from its first version on" in err
    assert project.staged() == stages


def test_a_refusal_is_over_when_the_slice_is_made(run, project):
    project.land("orders", DAYS[1], "values (1)", "id int")
    project.build(DAYS[1], "flat")
    found = json.loads(run("status", "--target", "trino", "--select", "flat", "--json")[1])
    assert DAYS[1] in [each["ds"] for each in found if each["state"] == "published"]
    assert not list((project.home / "refused").glob("*/staging/*"))
