"""The local metastore's own promises: many processes, one truth, nothing undone."""

import multiprocessing
import os
import random
import signal
import time

import pytest

from dayslice.errors import DaysliceError, Transient
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.rules.slices import Receipt, Slice, Table, Version

TABLE = Table("analytics", "t")


def version(number, ds="2013-01-01", table=TABLE):
    return Version(Slice(table, ds), f"v{number:05}", Receipt(rows=number), f"/w/analytics/t/v{number:05}/ds={ds}")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "home" / "metastore.sqlite"


@pytest.fixture
def metastore(file):
    with SQLiteMetastore(file) as opened:
        yield opened


def publish_many(file, first, number, ds):
    with SQLiteMetastore(file) as metastore:
        for each in range(first, first + number):
            metastore.publish(version(each, ds))


def test_any_number_of_processes_publish_at_once(file):
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=publish_many, args=(file, n * 100, 25, f"2013-01-0{n % 2 + 1}")) for n in range(4)
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0] * 4
    with SQLiteMetastore(file) as metastore:
        history = metastore.history(TABLE)
        assert {ds: len(versions) for ds, versions in history.items()} == {"2013-01-01": 50, "2013-01-02": 50}
        assert metastore.sequence() == 100
        assert set(metastore.published(TABLE)) == set(history)


def test_a_killed_writer_leaves_a_whole_truth_and_no_lock(file):
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        doomed = context.Process(target=publish_many, args=(file, 0, 10**6, "2013-01-01"))
        doomed.start()
        deadline = time.monotonic() + 30
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.uniform(0.05, 0.3))
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.join()
        with SQLiteMetastore(file, wait_seconds=1) as metastore:
            published = metastore.published(TABLE).get("2013-01-01")
            assert published is None or published in metastore.versions(published.slice)
            metastore.publish(version(10**6 + 1))


def test_newer_is_a_sequence_and_no_clock(metastore):
    for number in (5, 3, 4):  # as ids of a clock that was put back
        metastore.publish(version(number))
    assert [each.id for each in metastore.versions(version(1).slice)] == ["v00004", "v00003", "v00005"]
    metastore.publish(version(5))
    assert [each.id for each in metastore.versions(version(1).slice)] == ["v00004", "v00003", "v00005"]
    assert metastore.published(TABLE)["2013-01-01"] == version(5)


def test_a_publication_may_depend_on_what_stands(metastore):
    assert metastore.publish_if(version(1), instead_of=[""])
    assert not metastore.publish_if(version(2), instead_of=[""])
    assert metastore.publish_if(version(2), instead_of=["v00001"])
    assert metastore.published(TABLE)["2013-01-01"] == version(2)


def test_what_was_published_again_meanwhile_is_not_forgotten(metastore):
    for number in (1, 2):
        metastore.publish(version(number))
    metastore.publish(version(1))
    metastore.forget(version(1))
    metastore.forget(version(2))
    metastore.forget(version(2))
    assert not metastore.unpublish(version(2))
    assert metastore.versions(version(1).slice) == [version(1)]
    assert metastore.published(TABLE)["2013-01-01"] == version(1)


def test_tables_without_slices_and_views_stand_beside(metastore):
    seed = Version(Slice(Table("analytics", "kinds"), ""), "v1", Receipt(rows=3), "/w/analytics/kinds/v1")
    metastore.publish(seed)
    metastore.publish(version(1))
    metastore.publish_view(Table("analytics", "t_latest"), "select 1")
    assert metastore.content(seed.slice.table) == seed
    assert metastore.content(TABLE) is None
    assert metastore.published_ds(seed.slice.table) == []
    kinds = {each.table.name: each.kind for each in metastore.all_standing("analytics")}
    assert kinds == {"kinds": "table", "t": "slices", "t_latest": "view"}
    assert metastore.standing(Table("analytics", "t_latest")).definition == "select 1"
    assert metastore.all_standing("other") == []
    metastore.drop(seed.slice.table)
    assert metastore.content(seed.slice.table) is None
    assert metastore.standing(seed.slice.table) is None


def test_each_change_has_a_number(metastore):
    metastore.publish(version(1))
    first = metastore.standing(TABLE).changed
    metastore.publish(version(2))
    assert metastore.standing(TABLE).changed > first
    assert metastore.sequence() == metastore.standing(TABLE).changed


def test_the_owner_s_id_stays(file):
    with SQLiteMetastore(file) as metastore:
        owner = metastore.owner()
    with SQLiteMetastore(file) as metastore:
        assert metastore.owner() == owner
        metastore.adopt("another")
        assert metastore.owner() == "another"


def test_a_file_that_is_none_and_one_that_is_locked_are_said_in_one_line(file):
    with SQLiteMetastore(file) as holder:
        holder.connection.execute("begin immediate")
        with SQLiteMetastore(file, wait_seconds=0.1) as metastore, pytest.raises(Transient, match="try again"):
            metastore.publish(version(1))
    other = file.with_name("broken.sqlite")
    other.write_bytes(b"this is no database at all, but long enough" * 50)
    with pytest.raises(DaysliceError, match="damaged"):
        SQLiteMetastore(other)


def test_operations_take_milliseconds_with_a_long_history(metastore):
    metastore.publish_first([version(1, f"{year}-{month:02}-{day:02}") for year in range(1990, 2017)
                             for month in range(1, 13) for day in range(1, 29)])  # fmt: skip

    def seconds(call):
        best = 9.0
        for _ in range(5):
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        return best

    assert len(metastore.published_ds(TABLE)) == 27 * 12 * 28
    assert seconds(lambda: metastore.published(TABLE, ["2000-01-01"])) < 0.01
    assert seconds(lambda: metastore.newest_ds(TABLE)) < 0.01
    assert seconds(lambda: metastore.publish(version(2, "2000-01-01"))) < 0.05
