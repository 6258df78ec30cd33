"""DuckDB with all its files on a real S3 server: slices, seeds, tables, snapshots, and what is damaged there."""

import duckdb
import pytest

from dayslice.commands import demo
from dayslice.metastore import readers_file
from dayslice.metastore.ownership import MARK
from dayslice.rules.slices import Table
from dayslice.runner.project import load_project
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.versitygw import missing_for_versitygw
from dayslice.store.choice import open_store
from dayslice.store.duckdb_s3 import read_s3
from tests.local_files import metastore_of

YAML = """
models:
  - name: daily
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [unique]}]
  - {name: weekly, config: {meta: {slice: events}}}
  - {name: people, config: {meta: {slice: events, person: {nick: nick}}}}
"""
FILES = {
    "seeds/names.csv": "id,name\n1,one\n2,two\n",
    "models/models.yml": YAML,
    "models/daily.sql": "select id, name, '{{ ds() }}' as told from {{ ref('names') }}",
    "models/weekly.sql": "select count(*) as n, min(told) as first from {{ slice('daily', range=7) }}",
    "models/people.sql": "select id, name as nick from {{ ref('names') }}",
    "models/daily_latest.sql": "{{ latest('daily') }}",
    "models/known.sql": "{{ config(materialized='table') }} select distinct name from {{ ref('daily') }}",
    "snapshots/kept.yml": """
snapshots:
  - name: kept
    relation: ref('names')
    config: {unique_key: id, strategy: check, check_cols: [name]}
""",
}
DAYS = ["2013-01-05", "2013-01-06", "2013-01-07"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, require):
    require(missing_for_versitygw())
    with ObjectStore(tmp_path_factory.mktemp("s3")) as server:
        server.create_bucket("warehouse")
        yield server


@pytest.fixture(scope="module")
def project(make_project, server):
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**server.environment(), "DAYSLICE_WAREHOUSE": "s3://warehouse/of one"}.items():
            environment.setenv(name, value)
        made = make_project(FILES)
        for ds in DAYS:
            built = made.build(ds)
            assert {each.status for each in built.values()} <= {"success", "pass"}, built
        yield made


def query(project, sql):
    file = project.home / "dayslice.duckdb"
    readers_file.make(file, project.home / "metastore.sqlite", "s3://warehouse/of one")
    with duckdb.connect(str(file), read_only=True) as connection:
        read_s3(connection, "s3://warehouse/of one")
        return connection.execute(sql).fetchall()


def test_slices_seeds_tables_and_snapshots_are_objects_and_read_as_ever(project, server):
    assert query(project, "select ds, count(*), min(told) from analytics.daily group by ds order by ds") == [
        (ds, 2, ds) for ds in DAYS
    ]
    assert query(project, "select n, first from analytics.weekly order by ds")[-1] == (6, DAYS[0])
    assert query(project, "select count(*) from analytics.daily_latest") == [(2,)]
    assert query(project, "select name from analytics.known order by name") == [("one",), ("two",)]
    assert query(project, "select count(*) from analytics.kept where dbt_valid_to is null") == [(2,)]
    keys = [each["Key"] for each in server.client().list_objects_v2(Bucket="warehouse")["Contents"]]
    assert all(key.startswith("of one/") for key in keys)
    assert any(key.endswith(f"/ds={DAYS[0]}/part-00.parquet") for key in keys)
    assert f"of one/{MARK}" in keys
    assert not (project.home / "landing").exists()


def test_it_is_asked_in_sql_and_from_python(run, project):
    code, out, err = run("sql", f"select count(*) as n from daily where ds = '{DAYS[0]}'", "--csv")
    assert (code, out) == (0, "n\n2\n"), err
    assert run("sql", "select * from read_text('s3://warehouse/of one/_dayslice_owner')")[0] == 2
    assert run("sql", "select * from 's3://warehouse/of one/x.parquet'")[0] == 2


def test_a_slice_is_replaced_and_rolled_back(run, project):
    project.build(DAYS[0], "daily")
    before, after = reversed(versions(project, DAYS[0]))
    assert project.published("daily")[DAYS[0]].id == after.id
    code, _, err = run("rollback", "daily", "--ds", DAYS[0])
    assert code == 0, err
    assert project.published("daily")[DAYS[0]].id == before.id
    assert run("verify", "--deep")[0] == 0


def test_an_object_of_another_size_is_refused_before_a_build_reads_it(project, server):
    [version, *_] = versions(project, DAYS[1])
    key = f"{version.location.removeprefix('s3://warehouse/')}/part-00.parquet"
    body = server.client().get_object(Bucket="warehouse", Key=key)["Body"].read()
    stands = project.published("weekly")[DAYS[2]].id
    server.client().put_object(Bucket="warehouse", Key=key, Body=body[:-1])
    try:
        failed = project.build(DAYS[2], "weekly")["weekly"]
        assert failed.status == "error"
        assert f"daily {DAYS[1]}: version {version.id} is damaged" in failed.message
        server.client().delete_object(Bucket="warehouse", Key=key)
        assert "is not there" in project.build(DAYS[2], "weekly")["weekly"].message
        assert project.published("weekly")[DAYS[2]].id == stands
    finally:
        server.client().put_object(Bucket="warehouse", Key=key, Body=body)
    assert project.build(DAYS[2], "weekly")["weekly"].status == "success"


def test_who_reads_what_is_gone_is_told_what_to_do_and_a_flipped_byte_is_damage(run, project, server):
    [version, *_] = versions(project, DAYS[1])
    key = f"{version.location.removeprefix('s3://warehouse/')}/part-00.parquet"
    body = server.client().get_object(Bucket="warehouse", Key=key)["Body"].read()
    assert run("sql", "select sum(id) from daily")[0] == 0  # the readers' file is of what stands
    server.client().delete_object(Bucket="warehouse", Key=key)
    try:
        code, _, err = run("sql", "select sum(id) from daily")
        assert (code, f"DuckDB cannot read {version.location}/part-00.parquet" in err) == (1, True), err
    finally:
        server.client().put_object(Bucket="warehouse", Key=key, Body=body)
    store = open_store("s3://warehouse/other")
    file = store.create("file")
    file.write(b"as it was written")
    file.close()
    whole = store.checksum("file")
    [lying] = server.directory.rglob("other/file")
    lying.write_bytes(b"as it was Written")
    assert store.checksum("file") != whole


def test_the_demo_shows_its_table(project, monkeypatch):
    monkeypatch.setattr(demo, "HEAD", "select * from {schema}.daily_latest")
    assert demo.head(load_project(project.root)).row_count == 2


def versions(project, ds):
    with metastore_of(project.home) as metastore:
        return metastore.history(Table("analytics", "daily"))[ds]


def test_a_person_is_erased_from_objects_too(project, run, server, monkeypatch):
    monkeypatch.setenv("DAYSLICE_HASH_KEY", "a secret of some length")
    monkeypatch.setenv("WHOM", "two")

    def rows():
        keys = [each["Key"] for each in server.client().list_objects_v2(Bucket="warehouse")["Contents"]]
        files = [f"'s3://warehouse/{key}'" for key in keys if "/people/" in key and key.endswith(".parquet")]
        with duckdb.connect() as connection:
            read_s3(connection, "s3://warehouse/of one")
            return connection.execute(f"select nick from read_parquet([{', '.join(files)}])").fetchall()

    assert rows().count(("two",)) == len(DAYS)
    code, out, err = run("erase", "--person", "nick=env:WHOM", "--yes")
    assert (code, out.splitlines()[0]) == (
        0,
        f"people: 3 rows gone of 3 versions of 3 slices, {DAYS[0]} to {DAYS[-1]}",
    ), err
    assert rows() == [("one",)] * len(DAYS)
    project.build(DAYS[0], "people")
    assert ("two",) not in rows(), "nor comes back"
    assert query(project, "select count(*) from analytics.people") == [(len(DAYS),)]
    assert run("erase", "--again", "--yes")[1] == "nothing is there of them\n"
