"""On Trino, too, a backfill that is published at once shows nobody a part of it, and is taken back as a whole.

What a review stages is seen by nobody, and changes no table.
"""

import json

import pytest

from dayslice.rules.slices import Table

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: total
    config: {meta: {slice: cumulative, start: 2013-01-01}}
    columns: [{name: n, data_type: bigint}]
  - {name: flat, config: {meta: {slice: events}}, columns: [{name: id, data_tests: [unique]}]}
"""
FILES = {
    "models/m.yml": YAML,
    "models/flat.sql": "select id from {{ source('erp', 'orders') }}",
    "models/flat_latest.sql": "{{ latest('flat') }}",
    "models/total.sql": (
        "select cast((select count(*) from {{ slice('flat') }}) "
        "+ coalesce((select max(n) from {{ slice(this, -1) }}), 0) as bigint) as n"
    ),
}
DAYS = ["2013-01-01", "2013-01-02"]
SPAN = ["--from", DAYS[0], "--to", DAYS[-1], "--select", "total", "flat", "--target", "trino"]


@pytest.fixture(scope="module")
def engine():
    return "trino"


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(FILES)
    project.empty()
    for ds in DAYS:
        project.land("orders", ds, "values 1", "id int")
    return project


def totals(project):
    return [n for (n,) in project.query("select n from analytics.total order by ds")]


def test_two_processes_make_slices_at_once_and_what_they_made_is_taken_back(run, project):
    span = ["--from", DAYS[0], "--to", DAYS[1], "--select", "flat", "--target", "trino", "--jobs", "2", "--json"]
    code, out, err = run("backfill", *span)
    assert code == 0, out + err
    first, stood = json.loads(out)["run"], project.published("flat")
    begun, ended = ([getattr(each.receipt, name) for each in stood.values()] for name in ("started", "finished"))
    assert max(begun) < min(ended), "side by side"
    project.land("orders", DAYS[1], "values 1, 2", "id int")
    code, out, err = run("backfill", *span, "--stale")
    assert code == 0, out + err
    code, _, err = run("rollback", "--run", json.loads(out)["run"], "--yes", "--target", "trino")
    assert code == 0, err
    assert project.published("flat") == stood
    assert project.query("select count(*) from analytics.flat") == [(2,)]
    code, _, err = run("rollback", "--run", first, "--yes", "--target", "trino")
    assert code == 0, err
    assert project.published("flat") == {}
    project.land("orders", DAYS[1], "values 1", "id int")


def test_it_is_staged_compared_published_and_taken_back(run, project):
    project.land("orders", DAYS[1], "values 1, 1", "id int")
    code, out, err = run("backfill", *SPAN, "--together", "--yes", "--jobs", "1")
    assert code == 1
    assert "nothing was published" in err
    assert project.published("total") == project.published("flat") == {}
    assert ["__flat__2013_01_02__" in each for each in project.staged()] == [True], "what was refused can be looked at"

    project.land("orders", DAYS[1], "values 1", "id int")
    code, out, err = run("backfill", *SPAN, "--together", "--yes", "--jobs", "2")
    assert (code, out.splitlines()[-1]) == (0, "4 published at once"), out + err
    assert totals(project) == [1, 2]
    assert project.query("select ds from analytics.flat_latest") == [(DAYS[1],)]
    assert project.staged() == []
    before = {table: project.published(table) for table in ("total", "flat")}

    project.land("orders", DAYS[0], "values 1, 2", "id int")
    code, out, err = run("backfill", *SPAN, "--stale", "--together", "--yes", "--json", "--jobs", "1")
    assert code == 0, out + err
    told = json.loads(out)
    assert [one["ds"] for one in told["tables"]["total"]["differences"]] == DAYS
    assert totals(project) == [2, 3]

    code, out, err = run("rollback", "--run", told["run"], "--yes", "--target", "trino")
    assert code == 0, err
    assert totals(project) == [1, 2]
    assert {table: project.published(table) for table in before} == before
    assert [len(project.query(f"select * from analytics.flat where ds = '{ds}'")) for ds in DAYS] == [1, 1]


def test_a_review_stages_new_tables_and_columns_and_leaves_nothing(run, project):
    fresh = {
        "models/fresh.yml": """
models:
  - name: fresh
    config: {meta: {start: 2013-01-01}}
    columns: [{name: n, data_type: bigint, data_tests: [accepted_values: {arguments: {values: [2, 4], quote: false}}]}]
""",
        "models/fresh.sql": (
            "select cast((select min(twice) from {{ slice('flat') }}) "
            "+ coalesce((select max(n) from {{ slice(this, -1) }}), 0) as bigint) as n"
        ),
        "models/flat.sql": "select id, id * 2 as twice from {{ source('erp', 'orders') }}",
    }
    for ds in DAYS:
        if ds not in project.published("flat"):
            project.build(ds, "flat")
    before = {table: project.published(table) for table in ("total", "flat")}
    project.write(fresh)
    words = ["check", "--select", "flat", "fresh", "--build", *DAYS, "--target", "trino"]
    code, out, err = run(*words, "--json")
    assert code == 0, out + err
    document = json.loads(out)["built"]
    assert document["fresh"]["new"] == [{"ds": ds, "rows": 1} for ds in DAYS], "the second of the first, of 2 and 4"
    assert [[change["column"] for change in one["schema"]] for one in document["flat"]["differences"]] == [
        ["twice"]
    ] * 2
    assert {table: project.published(table) for table in before} == before
    assert project.staged() == []
    with project.metastore() as metastore:
        assert metastore.columns(Table("analytics", "flat")) == ["id"]
        assert metastore.kind(Table("analytics", "fresh")) is None
