"""Whatever dies, and whenever: the published slice stands, nothing is partial or doubled, a rerun leaves no orphan."""

import json
import multiprocessing
import os
import resource
import signal
import threading
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from dayslice_importers import copying, finishing, run, selecting
from dayslice_importers.engines.duckdb import DuckDBEngine

from dayslice.errors import DaysliceError, Transient
from dayslice.metastore.sqlite import SQLiteMetastore
from dayslice.services.stack.objectstore import ObjectStore
from dayslice.services.stack.versitygw import missing_for_versitygw
from tests.importers.system_server import SystemServer, missing_for_system_server
from tests.importers.warehouse import DS, Warehouse

# Text that does not compress: 32,000 bytes a row, so that a few rows are many chunks and several parts of an upload.
NOISE = (
    "select n as id, (select string_agg(md5(n::text || m), '') from generate_series(1, 1000) as m) as noise "
    "from generate_series(1, {}) as n"
)
FORK = multiprocessing.get_context("fork")


def in_another_process(target, *arguments):
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def rows(warehouse, table="t"):
    return warehouse.query(f"select count(*), sum(id)::bigint from erp.{table} where ds = '{DS}'")[0]


def no_orphans(warehouse, table="t"):
    """Every version folder that lies there is kept on purpose, and whole."""
    kept = {version.id: json.loads(version.receipt.more["parts"]) for version in warehouse.versions(table)}
    for folder in warehouse.landed():
        if not folder.startswith(f"erp/{table}/"):
            continue
        files = sorted(path.name for path in (Path(warehouse.files) / folder).glob("ds=*/*"))
        assert kept.pop(folder.rsplit("/", 1)[1], None) == files
    assert kept == {}


# Each is a place in an import, and whether the new version is published when it dies there.
STEPS = {
    "nothing begun": ((run, "prepare", "before"), False),
    "version named": ((run, "announce", "after"), False),
    "in mid-copy": (None, False),
    "landed": ((finishing, "staged_version", "before"), False),
    "counted": ((DuckDBEngine, "publish", "before"), False),
    "typed": ((finishing, "with_columns", "after"), False),
    "in the publishing transaction": ((SQLiteMetastore, "_keep", "after"), False),
    "in the metastore": ((SQLiteMetastore, "publish", "after"), True),
    "published": ((DuckDBEngine, "publish", "after"), True),
}


def import_and_die(warehouse, place):
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    if place:
        owner, name, when = place
        real = getattr(owner, name)

        def dying(*arguments, **options):
            die() if when == "before" else None
            real(*arguments, **options)
            die()

        setattr(owner, name, dying)
    warehouse.run(warehouse.node("t", streams=2), watch=None if place else die)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_import_leaves_the_published_slice_and_the_rerun_is_right(database, warehouse, monkeypatch, step):
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 4)
    place, is_published = STEPS[step]
    database.execute(f"create table t as {NOISE.format(40)}")
    before = warehouse.land("t")
    database.execute(f"insert into t {NOISE.format(60)}")

    doomed = in_another_process(import_and_die, warehouse, place)
    doomed.join(60)
    assert doomed.exitcode == -signal.SIGKILL
    if not is_published:
        assert warehouse.published("t")[DS].id == before.id
    assert rows(warehouse) == ((100, 820 + 1830) if is_published else (40, 820))
    warehouse.land("t")
    assert rows(warehouse) == (100, 820 + 1830)
    no_orphans(warehouse)


@pytest.mark.parametrize(
    ("failure", "is_published"),
    [
        (DaysliceError("the latest view cannot be made"), True),
        (Transient("the answer was lost"), True),
        (DaysliceError("refused"), False),
        (ZeroDivisionError("a fault of our own"), True),
    ],
    ids=str,
)
def test_an_import_that_fails_at_its_publication_takes_no_file_from_readers(
    database, warehouse, monkeypatch, failure, is_published
):
    database.execute("create table t as select n as id from generate_series(1, 10) as n")
    warehouse.land("t")
    database.execute("insert into t select n from generate_series(11, 30) as n")
    real = DuckDBEngine.publish

    def failing(engine, version):
        if is_published:
            real(engine, version)
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBEngine, "publish", failing)
        if isinstance(failure, DaysliceError):
            assert warehouse.run(warehouse.node("t"))["t"].error is failure
        else:
            with pytest.raises(ZeroDivisionError):
                warehouse.run(warehouse.node("t"))
    assert rows(warehouse) == ((30, 465) if is_published else (10, 55))
    no_orphans(warehouse)
    warehouse.land("t")
    assert rows(warehouse) == (30, 465)
    no_orphans(warehouse)


@pytest.mark.parametrize(("copied", "landed", "read"), [(2, 3, 3), (3, 2, 3), (3, 3, 2), (3, 3, 4)])
def test_counts_that_do_not_agree_stop_the_publication(database, warehouse, monkeypatch, copied, landed, read):
    """Of COPY, of the files and of the engine."""
    database.execute("create table t as select generate_series(1, 3) as id")
    before = warehouse.land("t")
    counted = copying.copy_part

    def copy_part(*arguments):
        _, [file] = counted(*arguments)
        return copied, [replace(file, file=replace(file.file, rows=landed), read=read)]

    monkeypatch.setattr(copying, "copy_part", copy_part)
    error = warehouse.run(warehouse.node("t"))["t"].error
    said = f"COPY gave {copied} rows, the files have {landed}, the engine reads {read}"
    assert said in str(error) and "nothing was published" in str(error)
    assert warehouse.published("t")[DS] == before
    assert warehouse.landed() == [f"erp/t/{before.id}"], "what was landed is gone"


def test_two_imports_of_a_slice_at_once_are_one_after_the_other(database, warehouse):
    database.execute(f"create table t as {NOISE.format(40)}")
    both = [in_another_process(warehouse.land, "t") for _ in range(2)]
    for each in both:
        each.join(60)
        assert each.exitcode == 0
    assert rows(warehouse) == (40, 820)
    assert len(warehouse.versions("t")) == 2
    no_orphans(warehouse)


def import_on_a_full_disk(warehouse):
    # A file that may not grow fails as one on a full disk does, and needs no disk of its own.
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    results = warehouse.run(warehouse.node("t"), warehouse.node("small"))
    error = results["t"].error
    assert isinstance(error, DaysliceError)
    assert str(error).startswith("cannot write ")
    assert "part-00-00000.csv.zst" in str(error)
    assert results["small"].error is None


def test_a_full_disk_stops_its_table_only(database, warehouse):
    database.execute(f"create table t as {NOISE.format(10)}; create table small as select 1 as id")
    warehouse.land("t")
    database.execute(f"insert into t {NOISE.format(200)}")
    process = in_another_process(import_on_a_full_disk, warehouse)
    process.join(60)
    assert process.exitcode == 0
    assert rows(warehouse) == (10, 55)
    no_orphans(warehouse)


@pytest.fixture
def mortal(tmp_path_factory, require, monkeypatch):
    """A server of this test's own, which it may kill; the connection `source` leads to it."""
    require(missing_for_system_server())
    with SystemServer(tmp_path_factory.mktemp("mortal")) as server:
        monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", server.dsn)
        database = psycopg2.connect(server.dsn)
        database.autocommit = True
        with database.cursor() as cursor:
            cursor.execute(f"create table t as {NOISE.format(10)}; create table u as select 1 as id")
        yield server


def grow(server):
    with psycopg2.connect(server.dsn) as database, database.cursor() as cursor:
        cursor.execute(f"insert into t {NOISE.format(300)}")


def test_a_source_that_is_restarted_in_mid_copy(mortal, warehouse):
    warehouse.land("t")
    grow(mortal)
    killed = []

    def restart_once(progress):
        if progress.table.name == "erp.t" and not killed:
            killed.append(progress)
            mortal.kill()
            mortal.start()

    results = warehouse.run(warehouse.node("t"), warehouse.node("u"), watch=restart_once)
    assert killed
    assert {name: result.error for name, result in results.items()} == {"t": None, "u": None}
    assert rows(warehouse) == (310, 55 + 45150)
    no_orphans(warehouse)


def test_a_source_that_is_killed_in_mid_copy_and_stays_away(mortal, warehouse, monkeypatch):
    before = warehouse.land("t")
    grow(mortal)
    monkeypatch.setattr(run, "RESTART_SECONDS", 0.5)
    error = warehouse.run(warehouse.node("t"), watch=lambda _: mortal.process.poll() is None and mortal.kill())[
        "t"
    ].error
    assert isinstance(error, Transient)
    assert "connection to PostgreSQL was lost" in str(error)
    assert "\n" not in str(error)
    assert warehouse.published("t")[DS].id == before.id
    assert rows(warehouse) == (10, 55)
    no_orphans(warehouse)
    mortal.start()
    warehouse.land("t")
    assert rows(warehouse) == (310, 55 + 45150)
    no_orphans(warehouse)


@pytest.fixture
def bucket(tmp_path_factory, require, monkeypatch):
    """A real S3 server of this test's own, which it may kill."""
    require(missing_for_versitygw())
    with ObjectStore(tmp_path_factory.mktemp("s3")) as server:
        server.create_bucket("warehouse")
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
        yield server


def test_an_s3_server_that_is_killed_in_mid_upload(database, bucket, tmp_path):
    warehouse = Warehouse(tmp_path, "s3://warehouse/landing")
    database.execute(f"create table t as {NOISE.format(10)}")
    before = warehouse.land("t")
    database.execute(f"insert into t {NOISE.format(1500)}")  # 48 MB, some 27 compressed: parts of 8

    first = threading.Lock()  # of the streams that tell

    def kill(progress):
        if progress.bytes > 25 << 20 and first.acquire(blocking=False):
            assert "Uploads" in bucket.client().list_multipart_uploads(Bucket="warehouse")
            bucket.service().process().kill()

    error = warehouse.run(warehouse.node("t"), watch=kill)["t"].error
    assert isinstance(error, Transient)
    assert "object store" in str(error)

    bucket.start()
    assert warehouse.published("t")[DS].id == before.id
    assert rows(warehouse) == (10, 55)
    after = warehouse.land("t")
    assert rows(warehouse) == (1510, 55 + 1125750)
    client = bucket.client()
    assert "Uploads" not in client.list_multipart_uploads(Bucket="warehouse")
    lying = {o["Key"].split("/")[3] for o in client.list_objects_v2(Bucket="warehouse")["Contents"] if o["Size"]}
    assert lying == {before.id, after.id}


@pytest.mark.parametrize(
    ("files", "variables", "said"),
    [
        ("s3://absent/landing", {}, "NoSuchBucket"),
        ("s3://warehouse/landing", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ("s3://", {}, "is no place on S3"),
    ],
)
def test_a_bucket_that_cannot_be_written(database, bucket, tmp_path, monkeypatch, files, variables, said):
    assert bucket
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    database.execute("create table t as select 1 as id")
    with pytest.raises(DaysliceError, match=said) as error:
        Warehouse(tmp_path, files).land("t")
    assert "\n" not in str(error.value)
