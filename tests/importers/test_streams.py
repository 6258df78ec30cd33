"""Parallel streams: every row once whatever the table is, and all files of one instant."""

import json

import psycopg2
import pytest
from dayslice_importers import selecting

from dayslice.errors import UsageError

# A row of 1,000 bytes, so that a few thousand make a table of many blocks.
ROWS = "select n as id, repeat(chr(97 + n % 26), 1000) as filler from generate_series(1, {}) as n"


@pytest.fixture
def small_blocks(monkeypatch):
    """Tables of a few hundred blocks are cut, as large ones are."""
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)


def sums(database, table):
    return database.execute(f"select count(*), sum(id), sum(length(filler)) from {table}")


def landed(warehouse, table, streams):
    version = warehouse.land(table, streams=streams)
    [row] = warehouse.query(f"select count(*), sum(id), sum(length(filler)) from erp.{table}")
    return version.receipt, [row]


PARTITIONED = f"""
create table parent (id int, filler text) partition by range (id);
create table small partition of parent for values from (0) to (100);
create table large partition of parent for values from (100) to (3000);
create table empty partition of parent for values from (3000) to (4000);
create table other partition of parent default partition by hash (id);
create table other_0 partition of other for values with (modulus 2, remainder 0);
create table other_1 partition of other for values with (modulus 2, remainder 1);
insert into parent {ROWS.format(5000)}
"""
INHERITED = f"""
create table parent as {ROWS.format(1000)};
create table child (more int) inherits (parent);
insert into child (id, filler) {ROWS.format(3000)};
insert into child (id, filler) {ROWS.format(9)}
"""


@pytest.mark.parametrize(
    ("prepare", "table", "files"),
    [
        (f"create table plain as {ROWS.format(3000)}", "plain", 3),
        (f"create table tiny as {ROWS.format(10)}", "tiny", 1),
        (PARTITIONED, "parent", 3),
        (INHERITED, "parent", 3),
        (f"create table under as {ROWS.format(3000)}; create view over as select * from under", "over", 1),
        (f"create materialized view seen as {ROWS.format(3000)}", "seen", 3),
        (f"create table holes as {ROWS.format(3000)}; delete from holes where id between 500 and 2500", "holes", 3),
        (
            f"create table wide as select id, repeat(filler, 3) || id as filler from ({ROWS.format(400)}) as r; "
            "update wide set filler = filler || '.'",
            "wide",
            None,
        ),
    ],
)
@pytest.mark.usefixtures("small_blocks")
def test_every_row_is_landed_once(database, warehouse, prepare, table, files):
    database.execute(prepare)
    receipt, rows = landed(warehouse, table, streams=3)
    assert rows == sums(database, table)
    assert files is None or len(json.loads(receipt.more["parts"])) == receipt.files == files


@pytest.mark.usefixtures("small_blocks")
def test_all_files_of_all_tables_are_of_one_instant(database, warehouse):
    database.execute(f"create table orders as {ROWS.format(3000)}; create table lines as {ROWS.format(3000)}")
    written = []

    def another_session_writes(progress):
        if not written:
            written.append(progress)
            with psycopg2.connect(database.dsn) as other, other.cursor() as cursor:
                for table in ("orders", "lines"):
                    cursor.execute(f"update {table} set id = -id; delete from {table} where id % 2 = 0")
                    cursor.execute(f"insert into {table} {ROWS.format(100)}")

    before = sums(database, "orders")
    nodes = [warehouse.node(name, streams=3) for name in ("orders", "lines")]
    results = warehouse.run(*nodes, watch=another_session_writes)
    assert written, "nothing was written while the import read"
    assert sums(database, "orders") != before
    for table in ("orders", "lines"):
        assert warehouse.query(f"select count(*), sum(id), sum(length(filler)) from erp.{table}") == before
    moments = {r.version.receipt.more["source_snapshot"] for r in results.values()}
    assert len(moments) == 1


@pytest.mark.usefixtures("small_blocks")
def test_no_more_sessions_than_the_source_allows(database, warehouse):
    for n in range(4):
        database.execute(f"create table t{n} as {ROWS.format(1000)}")
    most = 0

    def look(_):
        nonlocal most
        with psycopg2.connect(database.dsn) as other, other.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity "
                "where application_name = 'dayslice import' and datname = current_database()"
            )
            most = max(most, cursor.fetchone()[0])

    warehouse.run(*(warehouse.node(f"t{n}", streams=2) for n in range(4)), watch=look)
    assert most == 3, "two that copy, and the one that holds the snapshot"


@pytest.mark.parametrize("streams", [0, 65, "two", True])
def test_a_number_of_streams_that_is_none(database, warehouse, streams):
    database.execute("create table t as select 1 as id")
    error = warehouse.run(warehouse.node("t", streams=streams))["t"].error
    assert isinstance(error, UsageError)
    assert "streams" in str(error)
