"""A real PostgreSQL for all tests of importers, started once; a schema-less database for each test that asks."""

import itertools
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from dayslice.services import embedded_postgres
from tests.importers.system_server import SystemServer, missing_for_system_server
from tests.importers.warehouse import Warehouse

NUMBERS = itertools.count()


class Database:
    """A database of the test server, as its owner sees it."""

    def __init__(self, server: str, name: str, options: str = ""):
        admin = psycopg2.connect(server)
        admin.autocommit = True
        with closing(admin), admin.cursor() as cursor:
            cursor.execute(f"create database {name} {options}")
        self.name = name
        self.dsn = make_dsn(server, dbname=name)
        self.connection = psycopg2.connect(self.dsn)
        self.connection.autocommit = True

    def execute(self, sql: str, values: object = None) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Not dropped, which takes a second each: the whole server goes with the tests."""
        self.connection.close()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """How to connect to the test server as its superuser."""
    return embedded_postgres.start(tmp_path_factory.mktemp("postgres") / "data")


@pytest.fixture(scope="session")
def debian_server(tmp_path_factory, require):
    """A server of Debian's, on a socket of its own: another version, with libxml and the contributed extensions."""
    require(missing_for_system_server())
    with SystemServer(tmp_path_factory.mktemp("debian")) as server:
        yield server


@pytest.fixture(scope="session")
def debian_database(debian_server):
    """A database on it."""
    database = Database(debian_server.dsn, "test")
    yield database
    database.close()


@pytest.fixture
def make_debian_database(debian_server):
    """Makes databases on it."""
    made: list[Database] = []

    def make() -> Database:
        made.append(Database(debian_server.dsn, f"test_{next(NUMBERS)}"))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def make_database(postgres_server):
    """Makes databases, with options of `create database`."""
    made: list[Database] = []

    def make(options: str = "") -> Database:
        made.append(Database(postgres_server, f"test_{next(NUMBERS)}", options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def database(make_database, monkeypatch):
    """A fresh database, which the connection `source` leads to."""
    database = make_database()
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
    yield database
    database.close()


@pytest.fixture
def warehouse(tmp_path):
    """An empty warehouse on a plain directory."""
    return Warehouse(tmp_path)
