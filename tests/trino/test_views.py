"""Views on Trino while tables get columns and slices are published at once: no read fails, none goes backwards."""

import threading

import pytest
import trino

from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.journal import VIEW
from dayslice.rules.slices import Slice, Table, new_version_id

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: daily, config: {meta: {slice: events}, on_schema_change: append_new_columns}}
"""
TABLE = Table("analytics", "daily")


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(
        {
            "models/m.yml": YAML,
            "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
            "models/daily_latest.sql": "{{ latest('daily') }}",
            "models/all_of_it.sql": "{{ config(materialized='view') }} select * from {{ all_slices('daily') }}",
        }
    )
    project.empty()
    for ds in ("2013-01-04", "2013-01-05"):
        project.land("orders", ds, "values 1", "id int")
    built = project.build("2013-01-05", "daily", "daily_latest", "all_of_it")
    assert {each.status for each in built.values()} == {"success"}
    return project


def test_the_latest_view_does_not_go_backwards_when_two_ds_publish_at_once(project):
    """A run of the earlier ds comes to its view last, while another one is at it: it waits, and then sees the newer."""
    project.query("create or replace view analytics.daily_latest as select * from analytics.daily where ds = '$ds'")
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        with metastore.turn(Slice(TABLE, VIEW)):
            late = threading.Thread(target=project.build, args=["2013-01-04", "daily_latest"])
            late.start()
            late.join(20)
            assert late.is_alive(), "it waits for its turn"
            newest = max(metastore.published_ds(TABLE))
        late.join(60)
    assert project.query("select distinct ds from analytics.daily_latest") == [(newest,)]


def test_a_new_column_leaves_every_view_readable_and_names_those_of_others_that_are_not(project):
    project.query("create or replace view analytics.of_others as select * from analytics.daily")
    failures, seen, over = [], set(), threading.Event()

    def read(view):
        while not over.is_set():
            try:
                seen.add((view, *project.query(f"select count(*) from analytics.{view}")[0]))
            except trino.exceptions.TrinoQueryError as error:
                failures.append((view, error.message))

    readers = [threading.Thread(target=read, args=[view]) for view in ("daily_latest", "all_of_it")]
    for reader in readers:
        reader.start()
    try:
        project.write({"models/daily.sql": "select id, id + 1 as more from {{ slice('erp', 'orders') }}"})
        assert project.build("2013-01-05", "daily")["daily"].status == "success"
        assert project.query("select * from analytics.daily_latest") == [(1, "2013-01-05")]
        assert [each for each in project.dbt.warnings if "analytics.of_others" in each]
        project.build("2013-01-05", "daily_latest", "all_of_it")
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert not failures
    assert {view for view, _ in seen} == {"daily_latest", "all_of_it"}
    assert project.query("select * from analytics.daily_latest") == [(1, 2, "2013-01-05")]
    assert project.query("select * from analytics.all_of_it where ds = '2013-01-05'") == [(1, 2, "2013-01-05")]


def test_what_stands_under_a_table_s_name_as_something_else_is_refused_before_the_query(project):
    project.query("create or replace view analytics.taken as select 1 as id")
    place = f"{project.stack.warehouse}/plain/{new_version_id()}"
    project.query(f"create table analytics.plain with (external_location = '{place}') as select 1 as id")
    project.write({f"models/{name}.sql": "select id from {{ slice('erp', 'orders') }}" for name in ("taken", "plain")})
    built = project.build("2013-01-05", "taken", "plain")
    assert "is a view" in built["taken"].message
    assert "is a table" in built["plain"].message
    assert project.staged() == []
