"""The demo's whole warehouse on both engines: all tables, all ds, equal row by row."""

import os
import subprocess
from collections import Counter
from pathlib import Path

import duckdb
import pytest
import trino

from dayslice.metastore.hive import HiveMetastore
from dayslice.rules.calendar import shift, span
from dayslice.rules.slices import Table
from tests.local_files import metastore_of
from tests.sql.trino_project import SCHEMAS
from tests.warm.programs import program

pytestmark = pytest.mark.demo
ROOT = Path(__file__).parents[2]
# Three days here; DAYSLICE_PARITY_DAYS=14 compares the whole demo, at a quarter of a minute a day on two cores.
DAYS = span("2013-01-01", shift("2013-01-01", int(os.environ.get("DAYSLICE_PARITY_DAYS", "3")) - 1))
IMPORTS = [Table("erp", name) for name in ("airlines", "airports", "flights", "planes", "weather")]
MODELS = ["airport_daily", "carrier_metrics", "company_metrics", "flights_flat", "route_delays_7d"]
TABLES = [*IMPORTS, *(Table("analytics", name) for name in MODELS)]
LATEST = [Table(table.schema, f"{table.name}_latest") for table in TABLES]


def demo(**env):
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DAYSLICE_", "DBT_", "AWS_"))}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [program("dayslice"), "demo", "--days", str(len(DAYS))]
    done = subprocess.run(command, check=False, cwd=ROOT, env={**own, **env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def local_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("local")
    demo(DAYSLICE_HOME=str(home))
    return home


@pytest.fixture(scope="module")
def local(local_home):
    with duckdb.connect(str(local_home / "dayslice.duckdb"), read_only=True) as connection:
        connection.execute("set timezone to 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def on_trino(stack, tmp_path_factory):
    with HiveMetastore(stack.metastore.uri) as metastore:
        for schema in SCHEMAS:
            for name in metastore.tables(schema):
                metastore.drop_table(Table(schema, name))
    demo(**{**stack.environment(), "DAYSLICE_HOME": str(tmp_path_factory.mktemp("trino"))})
    return trino.dbapi.connect(host="127.0.0.1", port=stack.ports.trino, user="test", catalog="hive").cursor()


def contents(cursor, table):
    """Names of columns, and rows with how often each occurs."""
    cursor.execute(f"select * from {table} where false")
    names = [column[0] for column in cursor.description]
    rows = cursor.execute(f"select {', '.join(sorted(names))} from {table}").fetchall()
    return sorted(names), Counter(tuple(row) for row in rows)


@pytest.mark.parametrize("table", [*TABLES, *LATEST], ids=str)
def test_a_table_has_the_same_rows_on_both_engines(local, on_trino, table):
    names, expected = contents(local, table)
    found_names, found = contents(on_trino, table)
    assert found_names == names
    assert sum(expected.values()) > 0
    assert found == expected


def test_both_metastores_tell_the_same(local_home, on_trino, stack):
    with HiveMetastore(stack.metastore.uri) as metastore, metastore_of(local_home) as own:
        for table in TABLES:
            here = own.published(table)
            there = metastore.published(table)
            assert sorted(there) == sorted(here) == DAYS
            assert [v.receipt.rows for v in there.values()] == [v.receipt.rows for v in here.values()]
            assert all(version.receipt.bytes and version.receipt.files for version in there.values())
