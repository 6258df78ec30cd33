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
    # Nothing is made that sent reads; where it is known that sent has not seen what stands, it is made too.
    old = ["sent"] if engine == "local" else []
    assert sorted(json.loads(out)["followers"]) == sorted(["summary", "newest", "log", *old])
    code, out, err = run("backfill", *span, "--json")
    assert code == 0, out + err
    made = [(each["table"], each["ds"]) for each in json.loads(out)["slices"]]
    assert sorted(made) == sorted(
        [(table, ds) for table in ("daily", "log") for ds in DAYS]
        + [(table, DAYS[1]) for table in ("summary", "newest", *old)]
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


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # Hive has no numbers by which this could be known
def test_what_a_stopped_run_left_old_is_said_and_made_by_the_next_one(run, project, engine):
    span = ["--from", DAYS[0], "--to", DAYS[1]]
    assert run("build", "--ds", DAYS[0])[0] == 0
    assert run("build", "--ds", DAYS[1], "--select", "daily")[0] == 0, "as far as a run came that was killed"
    code, out, _ = run("status")
    again = "dayslice backfill --from 2013-01-06 --to 2013-01-06 --select"
    told = " ".join(out.split())
    assert f"summary (table, made of tables of slices) is older than what it reads: {again} summary" in told
    assert f"log (incremental, made of tables of slices) lacks 2013-01-06: {again} log" in told
    old = [(each["table"], each["lacks"]) for each in json.loads(run("status", "--json")[1]) if each["state"] == "old"]
    assert sorted(old) == [("log", [DAYS[1]]), ("summary", [DAYS[1]])]
    assert run("backfill", "--from", DAYS[0], "--to", DAYS[0], "--dry-run", "--select", "log")[0] == 0
    assert run("backfill", *span, "--dry-run")[0] == 3
    code, out, err = run("backfill", *span, "--json")
    assert code == 0, out + err
    made = [(each["table"], each["ds"]) for each in json.loads(out)["slices"]]
    assert sorted(made) == [("log", DAYS[1]), ("summary", DAYS[1])]
    assert rows(project, "select n from analytics.summary") == [(3,)]
    assert rows(project, "select day, n from analytics.log order by day") == [(DAYS[0], 1), (DAYS[1], 2)]
    assert run("backfill", *span, "--dry-run")[0] == 0
    assert "older" not in run("status")[1]
    assert run("backfill", *span, "--force", "--select", "daily")[0] == 0
    assert "log (incremental, made of tables of slices) lacks 2013-01-05 to 2013-01-06 (2)" in " ".join(
        run("status")[1].split()
    )
