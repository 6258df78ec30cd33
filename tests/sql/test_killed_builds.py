"""A build that is killed at any step leaves the published slices as they were, and the rerun is right."""

import multiprocessing
import os
import signal

import pytest
from dbt.adapters.dayslice_duckdb.impl import SliceDuckDBConnectionManager as Manager

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: daily
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [unique, not_null]}]
"""
BEFORE = [(1, "2013-01-04"), (1, "2013-01-05")]
AFTER = [(1, "2013-01-04"), (2, "2013-01-05"), (3, "2013-01-05")]


def build_and_die(project, ds, when, start):
    """In a process of its own: a build that kills it at one statement of a publication, or at its commit."""
    execute, commit = Manager.execute, Manager.commit

    def die(here):
        if here == when:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute_or_die(self, sql, *args, **kwargs):
        # dbt puts a comment with the node before each statement.
        here = " ".join(sql.split("*/")[-1].split()).startswith(start)
        die("before") if here else None
        result = execute(self, sql, *args, **kwargs)
        die("after") if here else None
        return result

    def commit_or_die(self):
        here = start == "commit" and "insert into" in written
        die("before") if here else None
        return commit(self)

    written = set()

    def remember(self, sql, *args, **kwargs):
        written.add(" ".join(" ".join(sql.split("*/")[-1].split()).split()[:2]))
        return execute_or_die(self, sql, *args, **kwargs)

    Manager.execute, Manager.commit = remember, commit_or_die
    project.build(ds, "daily")


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project({"models/models.yml": YAML, "models/daily.sql": "select id from {{ slice('erp', 'orders') }}"})


@pytest.mark.parametrize(
    ("step", "when", "statement"),
    [
        ("stage", "before", 'create table "dayslice"."_staged"'),
        ("stage", "after", 'create table "dayslice"."_staged"'),
        ("audit", "before", "select 0 as audit"),
        ("audit", "after", "select 0 as audit"),
        ("publish", "after", "delete from"),
        ("publish", "after", "insert into"),
        ("publish", "after", "drop table"),
        ("publish", "before", "commit"),
    ],
)
def test_a_killed_build_leaves_the_published_slices(parsed, emptied, step, when, statement):
    project = emptied(parsed)
    for ds in ("2013-01-04", "2013-01-05"):
        project.land("orders", ds, "select 1 as id", "id int")
        assert project.build(ds, "daily")["daily"].status == "success"
    published = project.published("daily")
    project.land("orders", "2013-01-05", "select 2 as id union all select 3", "id int")

    # Forked, so that dbt is imported and the project parsed already.
    doomed = multiprocessing.get_context("fork").Process(
        target=build_and_die, args=(project, "2013-01-05", when, statement)
    )
    doomed.start()
    doomed.join(60)
    assert doomed.exitcode == -signal.SIGKILL, f"it was not killed at {step}"

    rows = "select id, ds from analytics.daily order by ds, id"
    assert project.query(rows) == BEFORE
    assert project.published("daily") == published
    assert project.build("2013-01-05", "daily")["daily"].status == "success"
    assert project.query(rows) == AFTER
    assert project.query("select count(*) from duckdb_tables() where schema_name = '_staged'") == [(0,)]
