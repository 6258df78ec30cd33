"""What SQL Lab can reach through DuckDB: the published tables, and nothing else of the machine."""

import os
import stat
import threading
import time

import duckdb
import pytest
from moto.server import ThreadedMotoServer

from dayslice.services.superset.bundle import write_s3
from dayslice.services.superset.inside.dayslice_superset.readers import Readers
from dayslice.services.superset.inside.dayslice_superset.statements import refuse_all_but_select
from dayslice.store.duckdb_s3 import read_s3
from dayslice.store.s3 import s3_client


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """A readers' file of views over Parquet files, beside a staged file and somebody's secret."""
    home = tmp_path_factory.mktemp("fence")
    (home / "secret.csv").write_text("password\nhunter2\n")
    for name, number in (("published", 1), ("staged", 2)):
        duckdb.sql(f"copy (select {number} as a, '2013-01-01' as ds) to '{home}/{name}.parquet'")
    (home / "landed.csv").write_text("a;b\n1;2\n")
    publish(home, "published")
    return home


def publish(home, name):
    new = home / "new.duckdb"
    new.unlink(missing_ok=True)
    with duckdb.connect(str(new)) as connection:
        connection.execute("create schema analytics")
        connection.execute(f"create view analytics.t as select * from read_parquet(['{home}/{name}.parquet'])")
        connection.execute("create view analytics._hidden as select 1 as one")
        connection.execute(
            f"create view analytics.texts as select * from read_csv(['{home}/landed.csv'], delim = ';', header = true)"
        )
    new.replace(home / "dayslice.duckdb")


def ask(home, sql):
    connection = Readers.of(home / "dayslice.duckdb", {"memory": "500MB"}).connect()
    refuse_all_but_select(connection, sql)
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from analytics.t",
        "from analytics.t select *",
        "with one as (select * from analytics.t) select * from one",
        "/* a comment */ select * from analytics.t limit 3",
    ],
)
def test_a_published_table_is_read(warehouse, sql):
    assert ask(warehouse, sql) == [(1, "2013-01-01")]


def test_an_import_that_is_read_from_its_landed_files_is_read(warehouse):
    assert ask(warehouse, "select * from analytics.texts") == [(1, 2)]


@pytest.mark.parametrize(
    "sql",
    [
        "show tables from analytics",
        "describe analytics.t",
        "summarize analytics.t",
        "explain select * from analytics.t",
    ],
)
def test_looks_at_a_table_are_looks(warehouse, sql):
    assert ask(warehouse, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{home}/secret.csv')",
        "select * from read_csv('{home}/secret.csv')",
        "select * from '{home}/secret.csv'",
        "select * from '{home}/staged.parquet'",
        "select * from read_parquet('{home}/staged.parquet')",
        "select * from read_parquet('{home}/published.parquet')",
        "select * from read_parquet('{home}/*.parquet')",
        "select * from glob('{home}/*')",
        "select * from sniff_csv('{home}/secret.csv')",
        "select * from parquet_metadata('{home}/staged.parquet')",
        "select (select content from read_text('{home}/secret.csv'))",
        "select * from analytics.t where a in (select 1 from read_blob('{home}/secret.csv'))",
        "with x as (from read_csv('{home}/secret.csv')) select * from x",
        "select * from query('select 1')",
        "select * from query_table('analytics.t')",
        "select * from duckdb_settings()",
        "select * from duckdb_secrets()",
        "select * from enable_logging(storage='file', storage_config={{'path': '{home}/log'}})",
        "copy (select 1) to '{home}/out.csv'",
        "copy (select 9 as a) to '{home}/published.parquet' (use_tmp_file false)",
        "explain analyze copy (select 9 as a) to '{home}/published.parquet' (use_tmp_file false)",
        "explain (analyze) copy (select 9 as a) to '{home}/published.parquet' (use_tmp_file false)",
        "/* x */ explain analyze copy (select 9 as a) to '{home}/published.parquet' (use_tmp_file false)",
        "explain explain analyze copy (select 9 as a) to '{home}/published.parquet' (use_tmp_file false)",
        "prepare p as copy (select 1) to '{home}/out.csv'",
        "export database '{home}/out'",
        "attach '{home}/dayslice.duckdb' as other",
        "attach '{home}/other.duckdb' as other",
        "create table analytics.mine (a int)",
        "create table memory.main.mine (a int)",
        "create temp table mine (a int)",
        "create view analytics.v as select 1",
        "insert into analytics.t values (1)",
        "update analytics.t set a = 2",
        "delete from analytics.t",
        "drop view analytics.t",
        "alter view analytics.t rename to u",
        "set memory_limit = '100GB'",
        "set enable_external_access = true",
        "reset enable_external_access",
        "pragma enable_profiling",
        "install httpfs",
        "load httpfs",
        "call enable_logging()",
        "use dayslice",
        "begin",
        "checkpoint",
        "vacuum",
        "select 1; copy (select 1) to '{home}/out.csv'",
    ],
)
def test_nothing_else_is_reached(warehouse, sql):
    before = {file.name: file.read_bytes() for file in warehouse.iterdir()}
    with pytest.raises(duckdb.Error) as refused:
        ask(warehouse, sql.format(home=warehouse))
    assert "hunter2" not in str(refused.value)
    assert {file.name: file.read_bytes() for file in warehouse.iterdir()} == before


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{home}/secret.csv')",
        "select * from read_parquet('{home}/staged.parquet')",
        "select * from glob('{home}/*')",
        "copy (select 1) to '{home}/out.csv'",
        "attach '{home}/other.duckdb' as other",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "set allowed_directories = ['/']",
        "insert into dayslice.analytics.t values (1)",
    ],
)
def test_the_instance_itself_refuses_what_the_parser_would_let_through(warehouse, sql):
    """Two fences: one that judges a statement, and DuckDB's own, which does not depend on it."""
    connection = Readers.of(warehouse / "dayslice.duckdb", {"memory": "500MB"}).connect()
    with pytest.raises(duckdb.Error):
        connection.execute(sql.format(home=warehouse))
    assert not (warehouse / "out.csv").exists()


def test_what_begins_with_an_underscore_is_nobodys_to_read(warehouse):
    with pytest.raises(duckdb.CatalogException):
        ask(warehouse, "select * from analytics._hidden")


def test_a_file_that_is_renamed_into_place_is_seen_by_the_next_query_though_one_still_runs(warehouse, tmp_path):
    for name in ("published", "staged"):
        os.link(warehouse / f"{name}.parquet", tmp_path / f"{name}.parquet")
    (tmp_path / "landed.csv").write_text("a;b\n1;2\n")
    publish(tmp_path, "published")
    running = Readers.of(tmp_path / "dayslice.duckdb", {}).connect()
    seen = running.execute("select a from analytics.t, range(3000)")
    assert seen.fetchone() == (1,)
    publish(tmp_path, "staged")
    assert ask(tmp_path, "select a from analytics.t") == [(2,)]
    assert set(seen.fetchall()) == {(1,)}
    assert running.execute("select a from analytics.t").fetchall() == [(1,)]


def test_a_query_is_stopped_and_its_neighbour_is_not(warehouse):
    instance = Readers.of(warehouse / "dayslice.duckdb", {"memory": "500MB"})
    long, short = instance.connect(), instance.connect()
    timer = threading.Timer(0.5, long.interrupt)
    timer.start()
    began = time.monotonic()
    with pytest.raises(duckdb.InterruptException):
        long.execute("select sum(a.range * b.range) from range(1000000) a, range(1000000) b").fetchall()
    assert time.monotonic() - began < 5
    assert short.execute("select a from analytics.t").fetchall() == [(1,)]


def test_before_the_first_publication_there_is_nothing_to_read_and_no_error(warehouse, tmp_path):
    assert ask(tmp_path, "select count(*) from warehouse.slices") == [(0,)]
    (tmp_path / "landed.csv").write_text("a;b\n1;2\n")
    os.link(warehouse / "published.parquet", tmp_path / "published.parquet")
    publish(tmp_path, "published")
    assert ask(tmp_path, "select a from analytics.t") == [(1,)]


def test_slices_on_s3_are_read_and_nothing_else_of_the_bucket(tmp_path, monkeypatch):
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    try:
        s3_client().create_bucket(Bucket="warehouse")
        with duckdb.connect(str(tmp_path / "dayslice.duckdb")) as connection:
            read_s3(connection, "s3://warehouse/slices")
            for name in ("published", "staged"):
                connection.execute(f"copy (select 1 as a) to 's3://warehouse/{name}.parquet'")
            connection.execute("create schema analytics")
            connection.execute("create view analytics.t as from read_parquet(['s3://warehouse/published.parquet'])")
        options = {"memory": "500MB", "s3": str(write_s3(tmp_path))}
        asked = Readers.of(tmp_path / "dayslice.duckdb", options).connect()
        assert asked.execute("from analytics.t").fetchall() == [(1,)]
        for sql in ("from 's3://warehouse/staged.parquet'", "copy (select 2) to 's3://warehouse/new.parquet'"):
            with pytest.raises(duckdb.PermissionException):
                asked.execute(sql)
        assert stat.S_IMODE((tmp_path / "s3.json").stat().st_mode) == 0o600
    finally:
        server.stop()


def test_no_slice_is_known_of_a_home_without_the_file(warehouse):
    assert ask(warehouse, "select count(*) from warehouse.slices") == [(0,)]
