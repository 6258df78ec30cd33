"""Behind a pooler in transaction mode: nothing that an import needs is lost there, and nothing of it stays behind."""

import threading

import psycopg2
import pytest
from dayslice_importers import selecting

from dayslice.errors import DaysliceError
from tests.importers.pooler import Pooler, missing_for_pooler

# Each shows a value in another way where a setting of the session's is lost.
VALUES = """
create table t as
select n as id, 0.1::float8 + 0.2 as f, '1 day 2 hours'::interval as i, '\\x00ff'::bytea as b,
    timestamptz '2013-01-01 00:00+00' as z, repeat('x', 1000) as filler
from generate_series(1, 3000) as n
"""
# What a database, or a role, may say otherwise.
DEFAULTS = (
    "extra_float_digits = 0",
    "intervalstyle = 'postgres_verbose'",
    "bytea_output = 'escape'",
    "timezone = 'Asia/Tokyo'",
    "datestyle = 'SQL, DMY'",
)


@pytest.fixture
def make_pooler(debian_server, make_debian_database, require, tmp_path, monkeypatch):
    """Makes poolers in front of a database with the values; the connection `source` leads to the newest."""
    require(missing_for_pooler())
    database = make_debian_database()
    database.execute(VALUES)
    for each in DEFAULTS:
        database.execute(f"alter database {database.name} set {each}")
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)
    running = []

    def make(size):
        running.append(Pooler(tmp_path / f"pooler{len(running)}", database.dsn, size).__enter__())
        monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", running[-1].dsn)
        return running[-1], database

    yield make
    for each in running:
        each.__exit__()


@pytest.mark.parametrize(("size", "streams", "alone"), [(4, 1, False), (4, 3, False), (1, 2, True)])
def test_values_are_whole_and_the_pool_is_as_it_was(make_pooler, warehouse, monkeypatch, size, streams, alone):
    monkeypatch.setattr("dayslice_importers.sessions.STREAM_SECONDS", 1.0)
    pooler, _ = make_pooler(size)
    stop = threading.Event()
    wrong = []

    def another_client():
        """Takes whatever session is free, writes, and looks at what it finds there."""
        while not stop.is_set():
            with psycopg2.connect(pooler.dsn) as other, other.cursor() as cursor:
                cursor.execute("select current_setting('bytea_output'), current_setting('row_security')")
                if (found := cursor.fetchone()) != ("escape", "on"):
                    wrong.append(found)
                cursor.execute("create temp table mine (id int) on commit drop")

    busy = threading.Thread(target=another_client)
    if size > 1:
        busy.start()
    try:
        result = warehouse.run(warehouse.node("t", streams=streams))["t"]
    finally:
        stop.set()
        if size > 1:
            busy.join()
    assert result.error is None
    assert ("read by one session, as no other could be had" in result.hint) == alone
    assert wrong == []
    [row] = warehouse.query("select count(*), min(f)::varchar, min(i), min(b), min(epoch(z)) from erp.t")
    assert row == (3000, "0.30000000000000004", "P1DT2H", b"\x00\xff", 1356998400.0)
    with psycopg2.connect(pooler.dsn) as other, other.cursor() as cursor:
        for setting in ("default_transaction_read_only", "row_security", "bytea_output"):
            cursor.execute(f"show {setting}")
            assert cursor.fetchone()[0] in ("off" if setting.startswith("default") else "on", "escape")


def test_row_security_is_refused_behind_it_too(make_pooler, warehouse, monkeypatch):
    pooler, database = make_pooler(2)
    database.execute(
        "drop role if exists pooled; create role pooled login; grant select on t to pooled; "
        "alter table t enable row level security; create policy few on t using (id < 10)"
    )
    database.execute("alter table t force row level security")
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", pooler.dsn.replace("user=postgres", "user=pooled"))
    with pytest.raises(DaysliceError, match="row-level security policy"):
        warehouse.land("t")


@pytest.mark.parametrize("where", ["uri", "environment", "role"])
def test_a_search_path_reaches_every_stream(database, warehouse, monkeypatch, where):
    """A function that a view calls by its bare name is looked up by whoever reads (MagicStack/asyncpg#1070)."""
    database.execute(
        "create schema a; create schema b; create table t as select n as id, repeat('x', 1000) as filler "
        "from generate_series(1, 3000) as n;"
        "create function a.which() returns text language sql as $$select 'a'$$;"
        "create function b.which() returns text language sql as $$select 'b'$$;"
        "create function public.said() returns text language plpgsql as $$begin return which(); end$$;"
    )
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 50)
    if where == "uri":
        dsn = database.dsn + " options='-c search_path=b,public'"
        monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", dsn)
    elif where == "environment":
        monkeypatch.setenv("PGOPTIONS", "-c search_path=b,public")
    else:
        database.execute(f"alter database {database.name} set search_path = b, public")
    version = warehouse.land("t", streams=2, row_filter="said() = 'b'")
    assert version.receipt.rows == 3000
    assert version.receipt.files == 2
