"""Readers see one whole version, always: while slices are replaced, rolled back, and services are restarted."""

import multiprocessing
import time

import pytest

from dayslice.metastore.hive import HiveMetastore
from dayslice.metastore.stages import STAGING_SCHEMA, version_location
from dayslice.rules.slices import Receipt, Slice, Table, Version, new_version_id
from tests.trino.readers import Readers

DAILY = Slice(Table("analytics", "daily"), "2013-01-05")
YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: daily
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [{accepted_values: {arguments: {values: [0], quote: false}}}]}]
"""


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(
        {
            "models/models.yml": YAML,
            "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
            "models/daily_latest.sql": "{{ latest('daily') }}",
        }
    )
    project.empty()
    for ds in ("2013-01-04", "2013-01-05"):
        project.land("orders", ds, "values 0", "id int")
        built = project.build(ds, "daily", "daily_latest")
        assert {result.status for result in built.values()} == {"success", "pass"}
    return project


@pytest.fixture(scope="module")
def versions(project):
    """Eight versions of one slice, each of another number of rows, all of one value."""
    written = []
    for number in range(1, 9):
        id = new_version_id()
        location = version_location(project.stack.warehouse, DAILY, id)
        staged = f"{STAGING_SCHEMA}.hammer_{number}_{id}"
        project.query(
            f"create table {staged} with (external_location = '{location}') as "
            f"select {number} as id, cast('2013-01-05' as varchar) as ds "
            f"from unnest(sequence(1, {number * 1000})) as t(n)"
        )
        written.append(Version(DAILY, id, Receipt(rows=number * 1000), location))
    return written


def whole(version):
    number = version.receipt.rows // 1000
    return (version.receipt.rows, number, number)


def test_readers_see_whole_versions_while_a_slice_is_replaced_200_times(project, versions):
    allowed = {whole(version) for version in versions} | {(1, 0, 0)}
    readers = Readers(project)
    with HiveMetastore(project.stack.metastore.uri) as metastore, readers.reading():
        for number in range(200):  # from the ninth on, each publication is a rollback to an earlier version
            metastore.publish(versions[number % len(versions)])
            time.sleep(0.1)
    assert not readers.errors
    assert set(readers.seen) <= allowed
    assert len(readers.seen) > 4, "they did read different versions"
    assert sum(readers.seen.values()) > 50


def test_readers_see_the_published_version_while_another_is_refused(project, versions):
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        metastore.publish(versions[2])
    project.land("orders", "2013-01-05", "values 7, 7", "id int")
    readers = Readers(project)
    with readers.reading():
        refused = project.build("2013-01-05", "daily", "daily_latest")
    assert refused["daily"].status == "error"
    assert "accepted_values" in refused["daily"].message
    assert set(readers.seen) == {whole(versions[2])}
    assert not readers.errors


@pytest.mark.parametrize("name", ["metastore", "store"])
def test_a_service_that_is_restarted_costs_time_but_no_truth(project, versions, name):
    service = getattr(project.stack, name)
    allowed = {whole(version) for version in versions}
    # Writers too, one of them killed: their versions are of no rows of `versions`.
    project.land("orders", "2013-01-05", "values 0, 0", "id int")
    context = multiprocessing.get_context("fork")
    writer, doomed = (context.Process(target=project.build, args=("2013-01-05", "daily")) for _ in range(2))
    with HiveMetastore(project.stack.metastore.uri) as metastore:
        metastore.publish(versions[0])
        writer.start()
        doomed.start()
        readers = Readers(project)
        with readers.reading():
            time.sleep(1)
            service.service().stop()
            doomed.kill()
            service.start()
            for version in versions:
                metastore.publish(version)
                time.sleep(0.3)
            writer.join(180)
    assert not writer.is_alive()
    assert set(readers.seen) <= allowed | {(2, 0, 0)}
    assert set(readers.errors) <= {"HIVE_METASTORE_ERROR", "HIVE_FILESYSTEM_ERROR", "HIVE_CANNOT_OPEN_SPLIT"}
    seen = project.query("select count(*), min(id), max(id) from analytics.daily where ds = '2013-01-05'")[0]
    assert seen in {whole(versions[-1]), (2, 0, 0)}, "the last to publish: this test, or the writer"
    assert project.build("2013-01-05", "daily")["daily"].status == "success"
    assert project.query("select count(*), max(id) from analytics.daily where ds = '2013-01-05'") == [(2, 0)]
    assert not [stage for stage in project.staged() if stage.startswith("analytics__daily")], "the rerun cleaned up"
