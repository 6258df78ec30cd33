"""The source database: what it holds, who may do what, and that it recovers."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import psycopg2
import pytest

from dayslice.demo.source import READER, Source
from dayslice.errors import DaysliceError
from dayslice.services import embedded_postgres
from dayslice.services.embedded_postgres import is_alive
from tests.demo import expected

USE = """
import sys
from pathlib import Path
from dayslice.demo.source import Source
with Source(Path(sys.argv[1])) as source:
    source.advance(sys.argv[2])
    print(source.newest(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def source(make_folder):
    with Source(make_folder() / "home") as source:
        yield source


def rows(source, sql):
    with source.connection, source.connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def counts(source):
    tables = ("airlines", "airports", "planes", "weather", "flights")
    return tuple(rows(source, f"select count(*) from {table}")[0][0] for table in tables)


def test_it_comes_forward_day_by_day_and_never_goes_back(source):
    assert source.newest() is None
    assert counts(source)[2:] == (0, 0, 0)
    for ds in ("2013-01-01", "2013-01-02", "2013-01-02", "2013-01-01"):
        source.advance(ds)
    assert source.newest() == "2013-01-02"
    flights = expected.flights_flat()
    first, second = sorted(flights)[:2]
    planes = len(expected.registered_planes(second))
    assert counts(source) == (16, 1458, planes, 67 + 72, len(flights[first]) + len(flights[second]))
    source.advance("2013-12-31")
    assert counts(source) == (16, 1458, 3322, 26115, 336776)


def test_a_flight_has_the_same_number_at_every_loading(source):
    wanted = {
        row["flight_id"]: (row["carrier"], row["flight_number"])
        for row in expected.flights_flat()[min(expected.flights_flat())]
    }
    found = rows(source, "select flight_id, carrier, flight from flights where flight_date = '2013-01-01'")
    assert {number: (carrier, flight) for number, carrier, flight in found} == wanted


def test_every_column_is_described(source):
    bare = """
        select attrelid::regclass, attname from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
        and col_description(attrelid, attnum) is null
    """
    assert rows(source, bare) == []


def test_it_can_be_reached_through_its_socket_only(source):
    assert rows(source, "show listen_addresses") == [("",)]


@pytest.mark.parametrize("statement", ["insert into airlines values ('XX', 'x')", "create table x (y int)"])
def test_importers_can_only_read(source, statement):
    with closing(psycopg2.connect(embedded_postgres.start(source.directory, READER))) as connection:
        cursor = connection.cursor()
        cursor.execute("select count(*) from airlines")
        assert cursor.fetchone() == (16,)
        connection.rollback()
        # Not only because its sessions begin as read-only ones.
        connection.set_session(readonly=False)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)


def use(home, ds="2013-01-01"):
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(home), ds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def server_of(home):
    return int((home / "demo/postgres/postmaster.pid").read_text().splitlines()[0])


def wait_for_the_end_of(pid):
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_the_server_of_a_killed_process_is_stopped_by_the_next_one(folder):
    killed = use(folder)
    assert killed.stdout.readline() == "2013-01-01\n"
    server = server_of(folder)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert is_alive(server)
    following = use(folder, "2013-01-02")
    assert following.communicate() == ("2013-01-02\n", None)
    wait_for_the_end_of(server)


def test_an_interrupted_making_is_made_anew(folder):
    half = folder / "demo" / "postgres"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert use(folder).communicate() == ("2013-01-01\n", None)


def test_a_killed_server_whose_pid_is_another_process_s_starts_again(folder):
    first = use(folder)
    assert first.stdout.readline() == "2013-01-01\n"
    pid_file = folder / "demo/postgres/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server = server_of(folder)
    os.kill(server, signal.SIGKILL)
    wait_for_the_end_of(server)
    first.kill()
    first.wait()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert use(folder, "2013-01-02").communicate() == ("2013-01-02\n", None)


def test_a_server_that_dies_is_one_sentence_and_starts_again_in_the_same_process(folder):
    with Source(folder) as source:
        source.advance("2013-01-01")
        os.kill(server_of(folder), signal.SIGKILL)
        wait_for_the_end_of(source.connection.info.backend_pid)
        with pytest.raises(DaysliceError, match="Run the demo again"):
            source.advance("2013-01-02")
    with Source(folder) as source:
        assert source.newest() == "2013-01-01"
        source.advance("2013-01-02")
        assert source.newest() == "2013-01-02"


def test_two_processes_take_turns(folder):
    first = use(folder)
    assert first.stdout.readline() == "2013-01-01\n"
    second = use(folder, "2013-01-02")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1.5)
    first.communicate()
    assert second.communicate() == ("2013-01-02\n", None)


def test_a_half_written_list_of_users_is_no_obstacle(tmp_path):
    users = tmp_path / ".handle_pids.json"
    for written in ("", "[]123]", "[12, 3", "7"):
        users.write_text(written)
        embedded_postgres.forget_the_dead(tmp_path)
        assert users.read_text() == "[]"
