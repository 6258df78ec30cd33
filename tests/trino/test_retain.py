"""`dayslice retain` on real services."""

import json
import os
import subprocess
import threading

import pytest

from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.stages import version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from dayslice.store.choice import open_store
from tests.sql.project_files import on_orders
from tests.warm.programs import program

DAYS = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04", "2013-01-05"]


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(
        on_orders(
            {
                "kept_short": "select id from {{ slice('erp', 'orders') }}",
                "kept_short_latest": "{{ latest('kept_short') }}",
                "reader": "select id from {{ slice('kept_short') }}",
            },
            {"kept_short": {"retention": ["2 days", "keep 2 versions"]}},
        )
    )
    project.empty()
    # Of a stack that is up for long: versions of earlier runs would be refused as too many that nobody knows.
    open_store(project.stack.warehouse).remove("analytics/kept_short")
    for ds in DAYS:
        project.land("orders", ds, "values 1", "id int")
        project.build(ds, "kept_short", "kept_short_latest", *([] if ds == DAYS[1] else ["reader"]))
    for _ in range(3):
        project.build(DAYS[-1], "kept_short")
    return project


def run(project, *command, grace="24"):
    env = {**os.environ, "DAYSLICE_GRACE_HOURS": grace}
    command = [program("dayslice"), *command]
    done = subprocess.run(command, check=False, cwd=project.root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {each["table"]: each for each in json.loads(done.stdout)}


def folders(project):
    return set(open_store(f"{project.stack.warehouse}/analytics/kept_short").folders("")) - {"_retired"}


def test_retention_deletes_slices_then_files_and_keeps_what_is_needed(project):
    before = project.published("kept_short")
    command = ["retain", "--select", "kept_short", "--json"]
    planned = run(project, *command, "--dry-run")["kept_short"]
    assert planned["slices"] == [DAYS[0], DAYS[2]]
    assert planned["needed"] == [DAYS[1]], "its reader's slice is not built yet"
    assert len(planned["versions"]) == 2
    assert project.published("kept_short") == before, "a dry run changes nothing"

    present = folders(project)
    done = run(project, *command)["kept_short"]
    assert done == planned
    assert sorted(project.published("kept_short")) == [DAYS[1], DAYS[3], DAYS[4]]
    assert folders(project) == present, "files go a grace time later: somebody may be reading them"
    assert project.query("select distinct ds from analytics.kept_short_latest") == [(DAYS[4],)]

    again = run(project, *command, grace="0")["kept_short"]
    assert again["slices"] == again["versions"] == []
    assert {before[DAYS[0]].id, before[DAYS[2]].id} <= {each.rpartition("/")[2] for each in again["files"]}
    assert not folders(project) & {before[DAYS[0]].id, before[DAYS[2]].id}
    assert project.query("select ds, count(*) from analytics.kept_short group by ds order by ds") == [
        (DAYS[1], 1),
        (DAYS[3], 1),
        (DAYS[4], 1),
    ]
    assert run(project, *command, grace="0")["kept_short"]["files"] == []


def test_what_a_dead_run_left_goes_past_the_grace_time_only(project):
    store = open_store(project.stack.warehouse)
    dead, other = "v20130101000000000000_abcdef", "notes"
    young = f"v2999{dead[5:]}"
    for name in (dead, young, other):
        file = store.create(f"analytics/kept_short/{name}/ds=2013-01-05/file")
        file.write(b"half")
        file.close()
    command = ["retain", "--select", "kept_short", "--json"]
    assert run(project, *command)["kept_short"]["files"] == [], "it is seen for the first time"
    done = run(project, *command, grace="0")["kept_short"]
    assert [each.rpartition("/")[2] for each in done["files"]] == [dead]
    assert {young, other} <= folders(project), "what may be somebody's, and what is not ours, stays"


def test_two_publications_at_once_are_both_kept_and_the_later_one_is_published(project):
    place = Slice(Table("analytics", "kept_short"), DAYS[-1])
    before = project.published("kept_short")[DAYS[-1]]
    made = []
    for _ in range(2):
        id = new_version_id()
        file = open_store(project.stack.warehouse).create(f"analytics/kept_short/{id}/ds={DAYS[-1]}/file")
        file.write(b"rows")
        file.close()
        made.append(Version(place, id, Receipt(rows=1), version_location(project.stack.warehouse, place, id)))

    def publish(version):
        with HiveMetastore(project.stack.metastore.uri) as metastore:
            metastore.publish(version)

    threads = [threading.Thread(target=publish, args=[version]) for version in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        later, earlier, *others = metastore.versions(place)
        assert {later.id, earlier.id} == {version.id for version in made}
        assert before.id in [each.id for each in others]
        assert metastore.published(place.table, [place.ds])[place.ds].id == later.id
    run(project, "retain", "--select", "kept_short", "--json", grace="0")
    assert {version.id for version in made} <= folders(project)
