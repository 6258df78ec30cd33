"""A build that is killed at any step leaves the published slices as they were, and the rerun is right.

DAYSLICE_ROUNDS=20 kills as many builds of three million rows at moments of chance; one of some thousands here.
"""

import multiprocessing
import os
import random
import signal
import time

import pytest
from dbt.adapters.dayslice_duckdb.connections import SliceDuckDBConnectionManager as Manager
from dbt.adapters.dayslice_duckdb.impl import Dayslice_DuckDBAdapter as Adapter

from dayslice.metastore.begun import Begun
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.slices import Table
from dayslice.store.directory import Directory
from tests.local_files import metastore_of
from tests.sql.project_files import on_orders

BEFORE = [(1, "2013-01-04"), (1, "2013-01-05")]
# From here on the new slice stands, whatever is left to do.
PUBLISHED = {
    ("publish", "after"),
    *((step, when) for step in ("forget the note", "readers") for when in ("before", "after")),
}
ROUNDS = int(os.environ.get("DAYSLICE_ROUNDS", "1"))
MANY = 3_000_000 if ROUNDS > 1 else 50_000
DAILY = Table("analytics", "daily")
AFTER = [(1, "2013-01-04"), (2, "2013-01-05"), (3, "2013-01-05")]


def build_and_die(project, ds, when, step):
    """In a process of its own: a build that kills it before or after one step of a publication."""
    owner, name, applies = STEPS[step]
    original = getattr(owner, name)

    def die(here):
        if here == when:
            os.kill(os.getpid(), signal.SIGKILL)

    def do_or_die(self, *args, **kwargs):
        # dbt puts a comment with the node before each statement.
        at_step = applies(*args, **kwargs)
        die("before") if at_step else None
        result = original(self, *args, **kwargs)
        die("after") if at_step else None
        return result

    setattr(owner, name, do_or_die)
    project.build(ds, "daily")


def begins(start):
    return lambda sql, *_, **__: " ".join(sql.split("*/")[-1].split()).startswith(start)


def always(*_, **__):
    return True


# Whose method a step is, and at which of its calls.
STEPS = {
    "clean and begin": (Adapter, "begin_stage", always),
    "stage": (Manager, "execute", begins("copy (")),
    "audit": (Manager, "execute", begins("select 0 as audit")),
    "sync": (Directory, "sync", always),
    "publish": (SQLiteMetastore, "publish", always),
    "forget the note": (Begun, "end", always),
    "readers": (Adapter, "_tell_readers", always),
}


@pytest.fixture(scope="module")
def parsed(make_project):
    columns = {"daily": [{"name": "id", "data_tests": ["unique", "not_null"]}]}
    return make_project(on_orders({"daily": "select id from {{ slice('erp', 'orders') }}"}, columns=columns))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_killed_build_leaves_whole_slices(parsed, emptied, step, when):
    project = emptied(parsed)
    for ds in ("2013-01-04", "2013-01-05"):
        project.land("orders", ds, "select 1 as id", "id int")
        assert project.build(ds, "daily")["daily"].status == "success"
    published = project.published("daily")
    project.land("orders", "2013-01-05", "select 2 as id union all select 3", "id int")

    # Forked, so that dbt is imported and the project parsed already.
    doomed = multiprocessing.get_context("fork").Process(target=build_and_die, args=(project, "2013-01-05", when, step))
    doomed.start()
    doomed.join(60)
    assert doomed.exitcode == -signal.SIGKILL, f"it was not killed at {step}"

    rows = "select id, ds from analytics.daily order by ds, id"
    if (step, when) in PUBLISHED:
        assert project.query(rows) == AFTER
    else:
        assert project.query(rows) == BEFORE
        assert project.published("daily") == published
    assert project.build("2013-01-05", "daily")["daily"].status == "success"
    assert project.query(rows) == AFTER
    check_nothing_is_left(project)


def check_nothing_is_left(project):
    assert project.staged() == []
    with metastore_of(project.home) as metastore:
        known = {version.id for versions in metastore.history(DAILY).values() for version in versions}
    lying = {folder.name for folder in (project.home / "landing/analytics/daily").iterdir()}
    assert lying == known, "nothing is left over, and nothing is gone"


def test_a_build_of_many_rows_that_is_killed_at_any_moment_leaves_whole_slices(parsed, emptied):
    project = emptied(parsed)
    rows = "select distinct id // 10000000, count(*) over () from analytics.daily"
    stands, begun, chance = 0, time.monotonic(), random.Random(ROUNDS)
    project.land("orders", "2013-01-05", f"select range from range({MANY})", "id int")
    assert project.build("2013-01-05", "daily")["daily"].status == "success"
    takes = time.monotonic() - begun
    for number in range(1, ROUNDS + 1):
        project.land("orders", "2013-01-05", f"select {number}0000000 + range from range({MANY})", "id int")
        doomed = multiprocessing.get_context("fork").Process(target=project.build, args=("2013-01-05", "daily"))
        doomed.start()
        time.sleep(chance.uniform(0, takes))
        doomed.kill()
        doomed.join(60)
        assert project.query(rows) in ([(stands, MANY)], [(number, MANY)])
        assert project.build("2013-01-05", "daily")["daily"].status == "success"
        assert project.query(rows) == [(number, MANY)]
        check_nothing_is_left(project)
        stands = number
