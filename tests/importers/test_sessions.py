"""Sessions that copy: the same bytes and the same errors by either library, and as good as new after each failure."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading

import asyncpg
import psycopg2
import pytest
from dayslice_importers.connections import LINK, connect
from dayslice_importers.sessions import BlockSession, LibpqSession, open_stream
from dayslice_importers.source_errors import is_lost

from tests.importers.system_server import SystemServer, missing_for_system_server

UGLY = r"select n as id, repeat(E'\t\n\\\r', n % 50) as v, null as w from generate_series(1, 20000) as n"
SLOW = "select n, pg_sleep(0.01) from generate_series(1, 10000) as n"


class Rows:
    """A writer that keeps what it is given, and may fail."""

    def __init__(self, error=None):
        self.writes = []
        self.error = error

    def write(self, rows):
        if self.error:
            raise self.error
        self.writes.append(bytes(rows))
        return len(rows)


@contextlib.contextmanager
def stream(home):
    with connect("source", home) as lead:
        with lead.cursor() as cursor:
            cursor.execute("select pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        with open_stream("source", home, lead, snapshot) as session:
            yield session


@contextlib.contextmanager
def lead(home):
    with connect("source", home) as connection:
        yield LibpqSession(connection)


@pytest.fixture(params=[lead, stream])
def session(request, database, tmp_path):
    with request.param(tmp_path) as session:
        assert isinstance(session, BlockSession) == (request.param is stream)
        yield session


def usable(session):
    out = Rows()
    assert session.copy("select 1", {}, out) == 1
    assert out.writes == [b"1\n"]


def test_whole_rows_come_and_are_counted(database, session):
    out = Rows()
    assert session.copy(UGLY, {}, out) == 20000
    assert all(each.endswith(b"\n") for each in out.writes)
    with database.connection.cursor() as cursor:
        expected = Rows()
        cursor.copy_expert(f"copy ({UGLY}) to stdout", expected)
    assert b"".join(out.writes) == b"".join(expected.writes)


def test_a_failed_copy_says_what_postgresql_said_and_the_next_one_goes_on(session):
    with pytest.raises(psycopg2.errors.DivisionByZero) as error:
        session.copy("select 1 / 0", {}, Rows())
    assert error.value.pgcode == "22012"
    usable(session)


def test_a_writer_that_fails_ends_the_copy(session):
    with pytest.raises(OSError, match="no room"):
        session.copy(UGLY, {}, Rows(OSError("no room")))
    usable(session)


def test_the_timeouts_of_a_table_hold_for_its_copy_only(session):
    with pytest.raises(psycopg2.errors.QueryCanceled, match="statement timeout"):
        session.copy(SLOW, {"statement_timeout": "200ms"}, Rows())
    assert session.copy("select pg_sleep(0.5)::text", {}, Rows()) == 1


def test_another_thread_may_end_it(session):
    timer = threading.Timer(0.5, session.cancel)
    timer.start()
    with pytest.raises(psycopg2.errors.QueryCanceled):
        session.copy(SLOW, {}, Rows())
    timer.join()
    session.cancel()
    usable(session)


def test_nothing_is_written_and_the_snapshot_is_the_leads(database, tmp_path):
    database.execute("create table t as select 1 as id; create sequence numbers")
    with stream(tmp_path) as session:
        database.execute("insert into t values (2)")
        assert session.copy("select id from t", {}, Rows()) == 1
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            session.copy("select nextval('numbers')", {}, Rows())


def test_a_session_whose_server_ends_it_is_lost(database, tmp_path):
    with stream(tmp_path) as session:
        others = "pid <> pg_backend_pid() and query like '%pg_sleep%' and application_name = 'dayslice import'"
        end = f"select pg_terminate_backend(pid) from pg_stat_activity where {others}"
        timer = threading.Timer(0.5, database.execute, [end])
        timer.start()
        with pytest.raises(psycopg2.Error, match="administrator") as error:
            session.copy(SLOW, {}, Rows())
        timer.join()
        assert is_lost(error.value)
        with pytest.raises(psycopg2.Error) as error:
            session.copy("select 1", {}, Rows())
        assert is_lost(error.value)


def test_where_asyncpg_cannot_connect_libpq_does(database, tmp_path, monkeypatch):
    async def refuse(**_):
        raise asyncpg.InterfaceError("no such authentication")

    monkeypatch.setattr(asyncpg, "connect", refuse)
    with stream(tmp_path) as session:
        assert isinstance(session, LibpqSession)
        usable(session)


@pytest.fixture
def tls_server(tmp_path_factory, require):
    """A server on TCP that takes the role `careful` over TLS only, with its password."""
    require(missing_for_system_server() or (None if shutil.which("openssl") else "openssl is not installed"))
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "server.key", folder / "server.crt"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*new, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = (f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
    server = SystemServer(folder, "listen_addresses=127.0.0.1", "ssl=on", *files, port=port)
    if server.user:
        shutil.chown(key, server.user)
    with server:
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("hostssl all careful 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        with psycopg2.connect(server.dsn) as admin, admin.cursor() as cursor:
            cursor.execute("create role careful login password 'right'")
        os.kill(server.process.pid, signal.SIGHUP)
        yield server


@pytest.mark.parametrize("mode", ["require", "verify-ca"])
def test_a_stream_goes_where_its_lead_got_to_over_tls_with_a_password_from_a_file(
    tls_server, tmp_path, monkeypatch, mode
):
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{tls_server.port}:postgres:careful:right\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    certificate = tls_server.directory / "server.crt"
    monkeypatch.setenv(
        "DAYSLICE_CONNECTION_SOURCE",
        f"postgresql://careful@127.0.0.1:{tls_server.port}/postgres?sslmode={mode}&sslrootcert={certificate}",
    )
    with stream(tmp_path) as session:
        assert isinstance(session, BlockSession)
        link = session.connection._transport.get_extra_info("socket")
        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == LINK["keepalives_idle"]
        out = Rows()
        session.copy(
            "select ssl::text, usename from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()",
            {},
            out,
        )
        assert out.writes == [b"true\tcareful\n"]
