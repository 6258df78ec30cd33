"""The receipt proves the version: what it says can be found again in the files, in the engine and in PostgreSQL."""

import hashlib
import io
import json
from pathlib import Path

import zstandard

from dayslice import __version__


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


def test_what_is_watched_adds_up_to_the_rows(database, warehouse):
    database.execute("create table t as select n as id, repeat('x', 500) as v from generate_series(1, 9000) as n")
    seen = []
    warehouse.run(warehouse.node("t"), watch=seen.append)
    assert len(seen) > 1
    assert seen[-1].rows == 9000
    assert [each.rows for each in seen] == sorted(each.rows for each in seen)
