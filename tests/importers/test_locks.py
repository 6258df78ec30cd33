"""TRUNCATE, rewrites and swaps in mid-import: all rows of one instant, or an error; never an empty slice, nor half."""

import threading
import time

import psycopg2
import pytest
from dayslice_importers import locking, selecting
from psycopg2.extensions import make_dsn

from tests.importers.warehouse import DS

ROWS = "select n as id, date '2013-01-05' as day, repeat('x', 1000) as filler from generate_series({}, {}) as n"
PLAIN = f"create table t as {ROWS.format(1, 2000)}"
PARTITIONED = f"""
create table t (id int, day date, filler text) partition by range (id);
create table t_low partition of t for values from (0) to (1000);
create table t_high partition of t for values from (1000) to (9999);
insert into t {ROWS.format(1, 2000)}
"""
INHERITED = f"""
create table t (id int, day date, filler text);
create table t_low () inherits (t);
create table t_high () inherits (t);
insert into t_low {ROWS.format(1, 999)};
insert into t_high {ROWS.format(1000, 2000)}
"""
NEW = ROWS.format(5001, 8000)
# How a table is emptied and filled anew, in one transaction.
REPLACED = {
    "truncate": (PLAIN, f"truncate t; insert into t {NEW}"),
    "swap": (PLAIN, f"create table fresh as {NEW}; alter table t rename to old; alter table fresh rename to t"),
    "dropped": (PLAIN, f"drop table t; create table t as {NEW}"),
    "rewrite": (PLAIN, f"alter table t alter id type bigint; delete from t; insert into t {NEW}"),
    "partition": (PARTITIONED, f"truncate t_low, t_high; insert into t {NEW}"),
    "partition swap": (
        PARTITIONED,
        f"create table fresh as {NEW}; truncate t_low; alter table t detach partition t_high; "
        "alter table t attach partition fresh for values from (1000) to (9999)",
    ),
    "children": (INHERITED, f"truncate t_low, t_high; insert into t_high {NEW}"),
    "new child": (INHERITED, f"drop table t_low, t_high; create table t_new () inherits (t); insert into t_new {NEW}"),
    "materialized view": (
        f"create table under as {ROWS.format(1, 2000)}; create materialized view t as select * from under",
        f"truncate under; insert into under {NEW}; refresh materialized view t",
    ),
    "under a view": (
        f"create table under as {ROWS.format(1, 2000)}; create view t as select * from under",
        f"truncate under; insert into under {NEW}",
    ),
    "view swap": (
        f"create table blue as {ROWS.format(1, 2000)}; create view t as select * from blue;"
        "create table green (like blue)",
        f"insert into green {NEW}; create or replace view t as select * from green; truncate blue",
    ),
}


def rows(warehouse):
    return warehouse.query(f"select count(*), min(id)::bigint, max(id)::bigint from erp.t where ds = '{DS}'")[0]


@pytest.fixture
def reader(database, monkeypatch):
    """Makes the connection one that may read some columns only; gives the role."""

    def only_columns(grants):
        role = f"reader_of_{database.name}"
        database.execute(f"create role {role} login; {grants.format(role=role)}")
        monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", make_dsn(database.dsn, user=role))
        return role

    return only_columns


@pytest.mark.parametrize("kind", [{}, {"slice": "events", "on": "day"}], ids=["all", "events"])
@pytest.mark.parametrize("what", REPLACED)
def test_what_replaces_a_table_while_the_import_waits_for_its_lock(database, warehouse, what, kind):
    before, replace = REPLACED[what]
    database.execute(before)
    with psycopg2.connect(database.dsn) as owner, owner.cursor() as cursor:
        cursor.execute(replace)
        done = threading.Timer(0.7, owner.commit)
        done.start()
        # Nothing of it is seen until the import's snapshot is taken, and it is committed before the lock is had.
        version = warehouse.land("t", **kind)
        done.join()
    assert (version.receipt.rows, *rows(warehouse)) == (3000, 3000, 5001, 8000)


@pytest.mark.parametrize("granted", ["table", "columns"])
@pytest.mark.parametrize("what", ["truncate", "swap", "rewrite", "partition", "children"])
def test_nobody_replaces_a_table_from_the_first_look_to_the_last_row(
    database, warehouse, monkeypatch, reader, what, granted
):
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)
    before, replace = REPLACED[what]
    database.execute(f"{before}; create table first as {ROWS.format(1, 3000)}")
    if granted == "columns":
        reader("grant select (id) on first to {role}; grant select (id, day, filler) on t to {role}")
    refused = []

    def try_to(progress):
        """While the other table is copied, and while this one is."""
        with psycopg2.connect(database.dsn) as owner, owner.cursor() as cursor:
            cursor.execute("set lock_timeout = '20ms'")
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                cursor.execute(replace)
            owner.rollback()
            refused.append(progress.table.name)

    results = warehouse.run(warehouse.node("first", columns_only=["id"]), warehouse.node("t", streams=2), watch=try_to)
    assert [result.error for result in results.values()] == [None, None]
    assert {"erp.first", "erp.t"} == set(refused)
    assert rows(warehouse) == (2000, 1, 2000)


def test_who_waits_for_the_import_does_not_hold_its_streams_up(database, warehouse, monkeypatch):
    """A lock that is waited for stands before all later ones: the leading session has its own already."""
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)
    database.execute(PLAIN)
    waiting = []

    def truncate():
        with psycopg2.connect(database.dsn) as owner, owner.cursor() as cursor:
            cursor.execute("truncate t")

    settle = locking.settle

    def settled(*arguments):
        found = settle(*arguments)
        waiting.append(threading.Thread(target=truncate))
        waiting[0].start()
        while not database.execute("select 1 from pg_locks where not granted"):
            time.sleep(0.01)
        return found

    monkeypatch.setattr("dayslice_importers.run.settle", settled)
    result = warehouse.run(warehouse.node("t", streams=2))["t"]
    waiting[0].join()
    assert result.error is None
    assert "read by one session" in result.hint
    assert rows(warehouse) == (2000, 1, 2000)
    assert database.execute("select count(*) from t") == [(0,)]


def test_column_grants_are_enough_for_a_large_table_and_for_one_connection(database, warehouse, monkeypatch, reader):
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)
    database.execute(PLAIN)
    role = reader("grant select (id, day, filler) on t to {role}")
    result = warehouse.run(warehouse.node("t", streams=2))["t"]
    assert (result.error, result.version.receipt.files) == (None, 1)
    database.execute(f"grant select on t to {role}; alter role {role} connection limit 1")
    result = warehouse.run(warehouse.node("t", streams=2))["t"]
    assert result.error is None
    assert "too many connections" in result.hint
    assert rows(warehouse) == (2000, 1, 2000)
