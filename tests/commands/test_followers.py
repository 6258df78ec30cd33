"""A model of another materialization at the end of the graph is made by the runs that make what it reads."""

import json

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}, {name: parcels}]
models:
  - {name: daily, config: {meta: {slice: events}}}
  - name: summary
    columns: [{name: n, data_tests: [{accepted_values: {arguments: {values: [1, 3], quote: false}}}]}]
"""
FILES = {
    "models/models.yml": YAML,
    "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
    "models/daily_latest.sql": "{{ latest('daily') }}",
    "models/summary.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('daily') }}",
    "models/newest.sql": "{{ config(materialized='view') }} select max(ds) as ds from {{ ref('daily_latest') }}",
    "models/log.sql": "{{ config(incremental_strategy='append') }} "
    "select '{{ ds() }}' as day, count(*) as n from {{ ref('daily') }} where ds = '{{ ds() }}'",
    "models/sent.sql": "{{ config(materialized='table') }} select count(*) as n from {{ source('erp', 'parcels') }}",
}
DAYS = ["2013-01-05", "2013-01-06"]


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project(FILES)


@pytest.fixture
def project(parsed, emptied):
    made = emptied(parsed)
    for count, ds in enumerate(DAYS, 1):
        made.land("orders", ds, " union all ".join(f"select {each} as id" for each in range(count)), "id int")
        made.land("parcels", ds, "select 1 as id", "id int")
    return made


def rows(project, sql):
    return [tuple(row) for row in project.query(sql)]


def test_a_backfill_makes_what_follows_once_and_gives_each_ds_to_what_keeps_rows(run, project, engine):
    span = ["--from", DAYS[0], "--to", DAYS[1], "--target", engine]
    code, out, _ = run("backfill", *span, "--dry-run", "--json")
    assert code == 3
    assert set(json.loads(out)["followers"]) == {"summary", "newest", "log"}, "nothing is made that sent reads"
    code, out, err = run("backfill", *span, "--json")
    assert code == 0, out + err
    made = [(each["table"], each["ds"]) for each in json.loads(out)["slices"]]
    assert sorted(made) == sorted(
        [(table, ds) for table in ("daily", "log") for ds in DAYS] + [("summary", DAYS[1]), ("newest", DAYS[1])]
    )
    assert rows(project, "select n from analytics.summary") == [(3,)]
    assert rows(project, "select ds from analytics.newest") == [(DAYS[1],)]
    assert rows(project, "select day, n from analytics.log order by day") == [(DAYS[0], 1), (DAYS[1], 2)]


def test_a_build_makes_what_it_selects_and_says_what_it_left_behind(run, project, engine):
    target = ["--target", engine]
    code, out, err = run("build", "--ds", DAYS[0], "--select", "daily", *target)
    assert (code, out) == (0, "1 published\n")
    assert "not made from it: log (incremental), summary (table)" in err
    assert f"dayslice build --ds {DAYS[0]} --select log summary" in err
    code, out, err = run("build", "--ds", DAYS[0], "--select", "summary", "log", *target)
    assert (code, out) == (0, "2 published\n"), err
    assert rows(project, "select n from analytics.summary") == [(1,)]
    code, out, err = run("build", "--ds", DAYS[1], "--select", "daily+", "--exclude", "log", *target)
    assert (code, out) == (0, "3 published\n"), err
    assert rows(project, "select n from analytics.summary") == [(3,)]
    assert rows(project, "select day from analytics.log") == [(DAYS[0],)]
    code, out, err = run("build", "--ds", DAYS[1], "--select", "sent", *target)
    assert (code, out) == (0, "1 published\n"), err
    assert rows(project, "select n from analytics.sent") == [(2,)], "of imports alone"


def test_its_tests_run_and_a_failure_is_said_with_the_way_to_go_on(run, project, engine):
    target = ["--target", engine]
    code, _, err = run("build", "--ds", DAYS[0], "--select", "summary", *target)
    assert code == 1
    assert "summary reads daily, of which no slice is published yet" in err
    assert run("build", "--ds", DAYS[1], *target)[0] == 1, "two are none of 1, 3"
    assert run("build", "--ds", DAYS[0], *target)[0] == 0
    assert rows(project, "select n from analytics.summary") == [(3,)]
