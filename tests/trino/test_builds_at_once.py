"""Builds at once: whole versions only, and no stage left."""

import multiprocessing
import os
from collections import Counter

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: daily, config: {meta: {slice: events}}}
"""
DAYS = [f"2013-01-{day:02}" for day in range(1, 9)]
# One round here; DAYSLICE_ROUNDS=20 repeats it, at half a minute a round on two cores.
ROUNDS = int(os.environ.get("DAYSLICE_ROUNDS", "1"))


@pytest.fixture(scope="module")
def parsed(make_project):
    # Each run marks its rows with a number of its own: a mixture of two runs would show two numbers in one slice.
    sql = "select id, cast('{{ invocation_id }}' as varchar) as run from {{ slice('erp', 'orders') }}"
    return make_project({"models/models.yml": YAML, "models/daily.sql": sql})


def build(project, ds, done):
    # A grace time as in production: each run must leave the stages of those that are at it alone.
    os.environ["DAYSLICE_GRACE_HOURS"] = "24"
    os.chdir(project.root)
    done.put((ds, project.build(ds, "daily")["daily"].status))


@pytest.mark.parametrize("round", range(ROUNDS))
@pytest.mark.parametrize("days", [DAYS, DAYS[:1] * 2], ids=["eight_ds_of_a_new_table", "one_ds_twice"])
def test_builds_at_once_leave_whole_versions(parsed, emptied, days, round):
    project = emptied(parsed)
    for ds in set(days):
        project.land("orders", ds, "select n from unnest(sequence(1, 1000)) as t(n)", "id int")
    context = multiprocessing.get_context("fork")
    done = context.Queue()
    builds = [context.Process(target=build, args=(project, ds, done)) for ds in days]
    for process in builds:
        process.start()
    results = [done.get(timeout=300) for _ in builds]
    for process in builds:
        process.join(60)
    assert Counter(results) == Counter((ds, "success") for ds in days)
    rows = project.query("select ds, count(*), count(distinct run) from analytics.daily group by ds order by ds")
    assert rows == [(ds, 1000, 1) for ds in sorted(set(days))]
    assert sorted(project.published("daily")) == sorted(set(days))
    assert project.staged() == []
