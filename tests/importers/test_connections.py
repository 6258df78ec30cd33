"""Sessions: read-only, with time-outs, on the replica where there is one; refusals in one line without secrets."""

import subprocess
import time
from types import SimpleNamespace

import psycopg2
import pytest
from dayslice_importers import connections
from dayslice_importers.addresses import dsn_of, unencrypted
from dayslice_importers.connections import connect
from dayslice_importers.run import plan_imports
from psycopg2.extensions import make_dsn

from dayslice.errors import DaysliceError, Transient, UsageError
from tests.importers.system_server import SystemServer, missing_for_system_server
from tests.importers.warehouse import DS

SECRET = "hunter2-is-secret"


def refused(warehouse, **meta):
    error = warehouse.run(warehouse.node("t", **meta))["t"].error
    assert error is not None
    assert "\n" not in str(error)
    assert SECRET not in str(error)
    return error


def test_a_session_writes_nothing(database, tmp_path):
    database.execute("create table t as select 1 as id")
    with connect("source", tmp_path) as session, session.cursor() as cursor:
        cursor.execute("show lock_timeout")
        assert cursor.fetchone() == ("10s",)
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("insert into t values (2)")


def test_the_replica_is_read_where_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DAYSLICE_CONNECTION_ERP", "postgresql://primary/erp")
    assert dsn_of("erp", tmp_path) == "postgresql://primary/erp"
    monkeypatch.setenv("DAYSLICE_CONNECTION_ERP_REPLICA", "postgresql://replica/erp")
    assert dsn_of("erp", tmp_path) == "postgresql://replica/erp"


@pytest.fixture(scope="module")
def primary_and_replica(tmp_path_factory, require):
    """A server, and one that replays its changes and does not wait for queries that stand in their way."""
    require(missing_for_system_server())
    with SystemServer(tmp_path_factory.mktemp("primary")) as primary:
        replica = SystemServer(tmp_path_factory.mktemp("replica"))
        replica.directory.chmod(0o777)
        subprocess.run(
            [
                replica.bin / "pg_basebackup",
                "-h",
                primary.directory,
                "-U",
                "postgres",
                "-D",
                "data",
                "-R",
                "-c",
                "fast",
            ],
            cwd=replica.directory,
            user=replica.user,
            check=True,
            capture_output=True,
        )
        settings = replica.directory / "data" / "postgresql.auto.conf"
        settings.write_text(settings.read_text() + "max_standby_streaming_delay = 50ms\n")
        replica.start()
        yield primary, replica
        replica.__exit__()


def test_a_replica_is_imported_from_and_one_that_cancels_says_what_to_change(
    primary_and_replica, warehouse, monkeypatch
):
    primary, replica = primary_and_replica
    owner = psycopg2.connect(primary.dsn)
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute("create table t as select n as id, repeat('x', 2000) as v from generate_series(1, 20000) as n")
        cursor.execute("select pg_current_wal_lsn()")
        [(lsn,)] = cursor.fetchall()
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE_REPLICA", replica.dsn)
    with psycopg2.connect(replica.dsn) as reader, reader.cursor() as cursor:
        for _ in range(100):
            cursor.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", (lsn,))
            if cursor.fetchone() == (True,):
                break
            time.sleep(0.1)
    version = warehouse.land("t", streams=2)
    assert version.receipt.rows == 20000
    assert version.receipt.more["source_lsn"]
    attempts = []

    def vacuum_in_each_attempt(progress):
        if not attempts or progress.rows <= attempts[-1]:
            attempts.append(progress.rows)
            with owner.cursor() as cursor:
                cursor.execute("delete from t where id > %s", (20000 - 5000 * len(attempts),))
                cursor.execute("vacuum t")
            time.sleep(1)  # until the replica has begun to replay it, and has lost patience
        attempts[-1] = progress.rows

    error = warehouse.run(warehouse.node("t", streams=1), watch=vacuum_in_each_attempt)["t"].error
    assert len(attempts) == 2, "one more try, in a new snapshot"
    owner.close()
    assert isinstance(error, Transient)
    assert "hot_standby_feedback" in str(error)
    assert "\n" not in str(error)
    assert warehouse.published("t")[DS].id == version.id


def test_a_locked_table_is_not_waited_for_long(database, warehouse):
    database.execute("create table t as select 1 as id")
    with psycopg2.connect(database.dsn) as other, other.cursor() as cursor:
        cursor.execute("lock table t in access exclusive mode")
        error = refused(warehouse, lock_timeout="100ms")
    assert isinstance(error, Transient)
    assert "lock_timeout" in str(error)


def test_a_copy_that_takes_too_long_is_ended(database, warehouse):
    database.execute("create view t as select n as id, pg_sleep(0.1)::text as s from generate_series(1, 100) as n")
    error = refused(warehouse, statement_timeout="300ms")
    assert "statement_timeout" in str(error)
    assert warehouse.landed() == []


def test_a_timeout_that_is_none(database, warehouse):
    database.execute("create table t as select 1 as id")
    error = refused(warehouse, lock_timeout="soon")
    assert isinstance(error, UsageError)
    assert "write 10s" in str(error)


def test_timeouts_of_one_table_are_not_the_next_ones(database, warehouse):
    database.execute("create view a as select current_setting('lock_timeout') as said")
    database.execute("create view b as select current_setting('lock_timeout') as said")
    warehouse.run(warehouse.node("a", lock_timeout="7s", streams=1), warehouse.node("b", streams=1))
    assert warehouse.query("select said from erp.a union all select said from erp.b") == [("7s",), ("10s",)]


def test_a_wrong_password(debian_server, warehouse, monkeypatch):
    rules = debian_server.directory / "data" / "pg_hba.conf"
    rules.write_text("local all careful scram-sha-256\n" + rules.read_text())
    with psycopg2.connect(debian_server.dsn) as admin, admin.cursor() as cursor:
        cursor.execute("create role careful login password 'right'; select pg_reload_conf()")
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", make_dsn(debian_server.dsn, user="careful", password=SECRET))
    for _ in range(50):  # until the server has read its rules again
        if "password authentication failed" in str(refused(warehouse)):
            return
        time.sleep(0.1)
    pytest.fail("the password was not asked for")


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/x", "Connection refused"),
        (f"postgresql://u:{SECRET}@[/x", "neither a URI"),
        (f"host=127.0.0.1 nonsense={SECRET}", "neither a URI"),
    ],
)
def test_no_server_and_no_such_address(warehouse, monkeypatch, dsn, said):
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", dsn)
    assert said in str(refused(warehouse))


def test_what_the_reader_may_not_read_is_named(database, warehouse, monkeypatch):
    database.execute(
        "create table t (id int, salary int); insert into t values (1, 2); create table u as select 1 as id;"
        "drop role if exists reader_of_some; create role reader_of_some login; grant select on u to reader_of_some;"
        "grant select (id) on t to reader_of_some"
    )
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", make_dsn(database.dsn, user="reader_of_some"))
    results = warehouse.run(warehouse.node("t"), warehouse.node("u"))
    assert "salary" in str(results["t"].error)
    assert results["u"].error is None, "the other table goes on"
    assert warehouse.land("t", columns_without=["salary"]).receipt.rows == 1
    database.execute("drop owned by reader_of_some; drop role reader_of_some")


def test_a_table_that_is_gone(database, warehouse):
    database.execute("create table t as select 1 as id; create table u as select 1 as id")
    warehouse.land("t")
    database.execute("drop table t")
    results = warehouse.run(warehouse.node("t"), warehouse.node("u"))
    assert isinstance(results["t"].error, DaysliceError)
    assert "public.t" in str(results["t"].error)
    assert results["u"].error is None
    assert warehouse.query("select id from erp.t") == [(1,)]


def test_a_server_that_is_too_old_is_said_to_be(database, warehouse, monkeypatch):
    monkeypatch.setattr(connections, "OLDEST_SERVER", 990000)
    database.execute("create table t as select 1 as id")
    with pytest.raises(UsageError, match=r"connection 'source' leads to PostgreSQL \d\d: imports need 99 or later"):
        warehouse.land("t")


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:hunter@2-is-secret@h/d",
        "postgresql://u:hunter2/is-secret@h/d",
        "postgresql://u:hunter2?is-secret@h/d",
        "postgresql://u:hunter2#is-secret@h/d",
        "postgres://u:hunter2:is-secret@h/d",
    ],
)
def test_no_piece_of_a_password_is_taken_for_something_else_and_shown(warehouse, monkeypatch, uri):
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", uri)
    error = warehouse.run(warehouse.node("t"))["t"].error
    assert isinstance(error, UsageError)
    assert "write @ as %40" in str(error)
    assert "hunter" not in str(error)
    assert "secret" not in str(error)


def test_no_value_of_a_row_is_in_an_error_unless_it_is_asked_for(database, warehouse, monkeypatch):
    database.execute(
        "create function raised(text) returns text language plpgsql as $$begin raise exception 'bad: %', $1; end$$;"
        "create table rows (v text); insert into rows values ('hunter2-is-secret');"
        "create view t as select v::int from rows; create view u as select raised(v) as v from rows"
    )
    for name in ("t", "u"):
        assert "--show-values" in str(refused(warehouse, source_table=name))
    monkeypatch.setenv("DAYSLICE_SHOW_VALUES", "1")
    for name in ("t", "u"):
        assert SECRET in str(warehouse.run(warehouse.node("t", source_table=name))["t"].error)


@pytest.mark.parametrize(
    ("host", "tls", "warns"),
    [
        ("erp.example.com", False, True),
        ("10.0.0.1", False, True),
        ("erp.example.com", True, False),
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("localhost", False, False),
        ("/run/pg", False, False),
    ],
)
def test_a_link_that_leaves_this_machine_without_tls_warns(host, tls, warns):
    link = SimpleNamespace(host=host, ssl_in_use=tls, dsn_parameters={})
    said = unencrypted("erp", link)
    assert bool(said) == warns
    assert not said or "sslmode=verify-full to the URI in DAYSLICE_CONNECTION_ERP" in said


def test_an_unknown_connection_leads_to_tls(warehouse):
    with pytest.raises(UsageError, match="sslmode=verify-full"):
        dsn_of("nowhere", warehouse.home)


def test_a_dry_run_of_what_postgresql_refuses_is_one_line(database, warehouse, monkeypatch):
    database.execute("create table t as select 1 as id; create table u as select 1 as id")
    nodes = [warehouse.node("t", row_filter="nothing = 1"), warehouse.node("u")]
    found, failed = plan_imports(warehouse.project, nodes, DS, as_of_now=True)
    assert [each.job.node.name for each in found] == ["erp.u"]
    assert "nothing" in str(failed[0].error)
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", "postgresql://u@127.0.0.1:1/x")
    found, failed = plan_imports(warehouse.project, nodes, DS, as_of_now=True)
    assert (found, len(failed)) == ([], 2)
    assert warehouse.landed() == []
