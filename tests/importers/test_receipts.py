"""The receipt proves the version: what it says can be found again in the files, in the engine and in PostgreSQL."""

import hashlib
import io
import json
from pathlib import Path

import pytest
import zstandard
from dayslice_importers import landing
from dayslice_importers.engines.duckdb import DuckDBEngine

from dayslice import __version__
from dayslice.errors import Refused
from dayslice.metastore import lineage
from dayslice.rules.receipts import digest_of, first_published, inputs_of, source_of
from dayslice.store.directory import Directory
from tests.receivers import ended_runs


def test_rows_bytes_files_and_checksums_are_those_that_lie_there(database, warehouse):
    database.execute("create table t as select n as id, E'a\\n\\t' || n as note from generate_series(1, 5000) as n")
    version = warehouse.land("t")
    receipt = version.receipt
    files = sorted(Path(version.location).iterdir())
    assert json.loads(receipt.more["parts"]) == [file.name for file in files]
    assert receipt.files == len(files)
    assert receipt.bytes == sum(file.stat().st_size for file in files)
    sums = [f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    assert json.loads(receipt.more["checksums"]) == sums
    lines = 0
    for file in files:
        with io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file.open("rb")), newline="\n") as text:
            lines += sum(1 for _ in text) - 1
    assert receipt.rows == lines == warehouse.query("select count(*) from erp.t")[0][0] == 5000


def test_it_names_the_instant_the_tool_and_the_schema(database, warehouse):
    database.execute("create table t as select 1 as id")
    [(snapshot, lsn)] = database.execute("select pg_snapshot_xmax(pg_current_snapshot()), pg_current_wal_lsn()")
    first = warehouse.land("t").receipt
    assert int(first.more["source_snapshot"].split(":")[1]) >= int(snapshot)
    [(later,)] = database.execute("select %s::pg_lsn >= %s::pg_lsn", (first.more["source_lsn"], lsn))
    assert later
    assert first.tool == f"dayslice {__version__}"
    assert first.started < first.finished
    assert warehouse.land("t").receipt.more["schema_fingerprint"] == first.more["schema_fingerprint"]
    database.execute("alter table t add column more text")
    assert warehouse.land("t").receipt.more["schema_fingerprint"] != first.more["schema_fingerprint"]


def test_it_says_when_the_slice_first_came_and_whether_it_is_the_same(database, warehouse):
    database.execute("create table t as select n as id from generate_series(1, 3) as n")
    first, again = warehouse.land("t").receipt, warehouse.land("t").receipt
    assert first_published(first) == first.finished == first_published(again) < again.finished
    assert source_of(again)["snapshot"]
    assert inputs_of(again) is None
    assert digest_of(first) == digest_of(again) != ""
    database.execute("insert into t values (4)")
    assert digest_of(warehouse.land("t").receipt) != digest_of(first)
    assert again.more["logic"] == first.more["logic"]


def test_openlineage_is_told_which_table_was_read_as_of_which_snapshot(database, warehouse, receiver):
    database.execute("create table t as select n as id, 'a' as kind from generate_series(1, 3) as n")
    version = warehouse.land("t")
    lineage.finish()
    told = ended_runs(receiver.heard)["erp.t"]
    [read] = told["inputs"]
    assert read["namespace"] == f"postgres://localhost:{database.connection.info.port}"
    assert read["name"] == f"{database.name}.public.t"
    assert read["facets"]["version"]["datasetVersion"] == version.receipt.more["source_snapshot"]
    [written] = told["outputs"]
    fields = [(each["name"], each["type"]) for each in written["facets"]["schema"]["fields"]]
    assert fields == [("id", "integer"), ("kind", "varchar"), ("ds", "varchar")]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert written["facets"]["dayslice_slice"]["fingerprint"]["digest"] == digest_of(version.receipt)


def test_what_is_watched_adds_up_to_the_rows(database, warehouse):
    database.execute("create table t as select n as id, repeat('x', 500) as v from generate_series(1, 9000) as n")
    seen = []
    warehouse.run(warehouse.node("t"), watch=seen.append)
    assert len(seen) > 1
    assert seen[-1].rows == 9000
    assert [each.rows for each in seen] == sorted(each.rows for each in seen)


@pytest.fixture
def counted(monkeypatch):
    """What the engine counted: single files as they came, and whole versions afterwards."""
    seen = {"files": 0, "versions": 0}

    def watch(method, kind):
        real = getattr(DuckDBEngine, method)

        def watched(*arguments):
            seen[kind] += 1
            return real(*arguments)

        monkeypatch.setattr(DuckDBEngine, method, watched)

    watch("count_file", "files")
    watch("count", "versions")
    return seen


@pytest.mark.parametrize(("rows", "hashes"), [(60_000, 1), (12, 20_000)])
def test_large_files_are_cut_at_the_ends_of_rows(database, warehouse, monkeypatch, counted, rows, hashes):
    monkeypatch.setattr(landing, "FILE_BYTES", 4000)
    database.execute(
        f"create table t as select n as id, (select string_agg(md5(n::text || m), '') "
        f"from generate_series(1, {hashes}) as m) as v from generate_series(1, {rows}) as n"
    )
    version = warehouse.land("t")
    receipt = version.receipt
    assert receipt.files > 2
    assert counted == {"files": receipt.files, "versions": 0}
    assert receipt.rows == rows
    shown = "count(*), count(distinct id), sum(id), sum(length(v)), min(left(v, 32)), max(left(v, 32))"
    assert warehouse.query(f"select {shown} from erp.t") == database.execute(f"select {shown} from t")
    for file in Path(version.location).iterdir():
        text = zstandard.ZstdDecompressor().stream_reader(file.open("rb")).read()
        assert text.startswith(b"id\tv\n")
        assert text.endswith(b"\n")
        assert text.count(b"\n") > 1, "no file is empty"


def test_a_line_that_is_longer_than_buffers_is_counted_as_it_came(database, warehouse, counted):
    database.execute("create table t as select 1 as id, repeat('x', 5000000) as v")
    assert warehouse.land("t").receipt.rows == 1
    assert counted == {"files": 1, "versions": 0}


def test_bytes_that_the_store_lost_stop_the_import(database, warehouse, monkeypatch):
    database.execute("create table t as select n as id from generate_series(1, 5000) as n")
    before = warehouse.land("t")
    real = Directory.sizes
    monkeypatch.setattr(Directory, "sizes", lambda *of: {file: size - 1 for file, size in real(*of).items()})
    with pytest.raises(
        Refused, match=r"erp.t 2013-01-05: \d+ bytes were written and \d+ lie in .*nothing was published"
    ):
        warehouse.land("t")
    assert warehouse.published("t")["2013-01-05"].id == before.id
