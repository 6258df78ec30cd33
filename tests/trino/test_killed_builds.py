"""A build that is killed at any step leaves whole versions, and the rerun is right and cleans up."""

import multiprocessing
import os
import signal

import pytest
from dbt.adapters.dayslice_trino.impl import SliceTrinoConnectionManager as Manager

from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.slices import Slice, Table
from dayslice.store.choice import open_store
from tests.trino.readers import Readers

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
# What a reader sees of a whole version: rows, least and greatest id.
OLD, NEW = (1, 1, 1), (2, 2, 3)
ROWS = "select id, ds from analytics.daily order by ds, id"


def build_and_die(project, when, step):
    """In a process of its own: a build that kills it before or after a statement, or a call to the metastore."""

    def dying(method, is_here):
        def call(self, *args, **kwargs):
            here = is_here(*args, **kwargs)
            if here and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = method(self, *args, **kwargs)
            if here:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    def statement(sql, *_, **__):
        # dbt puts a comment with the node before each statement.
        return " ".join(sql.split("*/")[-1].split()).startswith(step)

    Manager.execute = dying(Manager.execute, statement)
    for name in ("publish", "drop_table"):
        setattr(HiveMetastore, name, dying(getattr(HiveMetastore, name), lambda *_, name=name, **__: name == step))
    project.build("2013-01-05", "daily")


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project(
        {
            "models/models.yml": YAML,
            "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
            "models/daily_latest.sql": "{{ latest('daily') }}",
        }
    )


@pytest.mark.parametrize(
    ("when", "step", "rows"),
    [
        ("before", 'create table "hive"."_staged"', BEFORE),
        ("after", 'create table "hive"."_staged"', BEFORE),
        ("after", "select 0 as audit", BEFORE),
        ("before", "publish", BEFORE),
        ("after", "publish", AFTER),
        ("after", "drop_table", AFTER),
    ],
)
def test_a_killed_build_leaves_whole_versions_and_the_rerun_cleans_up(parsed, emptied, when, step, rows):
    project = emptied(parsed)
    for ds in ("2013-01-04", "2013-01-05"):
        project.land("orders", ds, "values 1", "id int")
        built = project.build(ds, "daily", *(["daily_latest"] if ds == "2013-01-05" else []))
        assert {each.status for name, each in built.items() if name.startswith("daily")} == {"success"}
    project.land("orders", "2013-01-05", "values 2, 3", "id int")

    # Forked, so that dbt is imported and the project parsed already.
    doomed = multiprocessing.get_context("fork").Process(target=build_and_die, args=(project, when, step))
    doomed.start()
    readers = Readers(project)
    with readers.reading():
        doomed.join(120)
        assert doomed.exitcode == -signal.SIGKILL, f"it was not killed {when} {step}"
        assert project.query(ROWS) == rows
        assert project.build("2013-01-05", "daily")["daily"].status == "success"
    assert not readers.errors
    assert set(readers.seen) == {OLD, NEW}, "each read was one whole version, and both were seen"
    assert project.query(ROWS) == AFTER
    assert project.staged() == []
    assert directories(project) == remembered(project), "no directory is left that no version owns"


def directories(project):
    """The versions of the test's slice that have files, but for those of earlier tests."""
    store = open_store(f"{project.stack.warehouse}/analytics/daily")
    first = min(version.id for version in remembered_versions(project))
    return {id for id in store.folders("") if id >= first}


def remembered(project):
    return {version.id for version in remembered_versions(project)}


def remembered_versions(project):
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        slices = [Slice(Table("analytics", "daily"), ds) for ds in ("2013-01-04", "2013-01-05")]
        return [version for slice in slices for version in metastore.versions(slice)]
