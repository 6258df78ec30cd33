"""Typed columns beside the landed CSV: they are read, unless a table says `columnar: false`, and what stays right."""

import threading
from pathlib import Path

from dayslice_importers import selecting
from dayslice_importers.engines import duckdb as engine

from dayslice.errors import UsageError
from dayslice.metastore.integrity import problems
from dayslice.store.directory import Directory


def typed_files(version):
    return sorted(Path(version.location).parent.glob("columns/ds=*/*.parquet"))


def plan(warehouse, sql):
    return str(warehouse.query(f"explain {sql}"))


def test_columns_are_read_and_counted_and_the_csv_stays(database, warehouse):
    database.execute(
        "create table t as select n as id, repeat('x', 9) as v, null::int as none from generate_series(1, 50) n"
    )
    version = warehouse.land("t")
    assert len(typed_files(version)) == len(list(Path(version.location).iterdir())) == 1
    assert "PARQUET" in plan(warehouse, "select * from erp.t").upper()
    assert warehouse.query("select count(*), sum(id), count(none) from erp.t") == [(50, 1275, 0)]
    assert list(problems(version, deep=True)) == []
    typed_files(version)[0].write_bytes(b"")
    assert "bytes where" in next(problems(version))


def test_a_table_may_go_without_and_back(database, warehouse):
    database.execute("create table t as select 1 as id, 0.1::real as share")
    plain = warehouse.land("t", "2013-01-04", columnar=False)
    assert typed_files(plain) == []
    assert "CSV" in plan(warehouse, "select * from erp.t").upper()
    warehouse.land("t", "2013-01-05")
    # A column that got another type is read from the text that landed, in every slice.
    database.execute("alter table t alter share type double precision using 0.1")
    warehouse.land("t", "2013-01-06", accept=True)
    assert warehouse.query("select ds, id, share from erp.t order by ds") == [
        ("2013-01-04", 1, 0.1),
        ("2013-01-05", 1, 0.1),
        ("2013-01-06", 1, 0.1),
    ]


def test_what_is_neither_yes_nor_no_is_refused(database, warehouse):
    database.execute("create table t (id int); insert into t values (1)")
    error = warehouse.run(warehouse.node("t", columnar="no"))["t"].error
    assert isinstance(error, UsageError)
    assert "columnar: 'no' is neither true nor false" in str(error)


def test_columns_are_written_to_be_read_quickly_and_the_csv_to_be_small(database, warehouse):
    database.execute("create table t as select n as id from generate_series(1, 50) n")
    [file] = typed_files(warehouse.land("t"))
    codecs = f"select distinct compression from parquet_metadata('{file}')"
    assert warehouse.query(codecs) == [("SNAPPY",)]


def test_files_are_counted_side_by_side_and_each_is_read_once_for_its_checksum(database, warehouse, monkeypatch):
    """One at a time, the copying waited for them: to write columns takes longer than to copy."""
    database.execute("create table t as select n as id, repeat('x', 900) as v from generate_series(1, 3000) n")
    monkeypatch.setattr(selecting, "SMALL_BLOCKS", 64)
    both, write, checksum, summed = threading.Barrier(2), engine.copy_to_parquet, Directory.checksum, []
    monkeypatch.setattr(engine, "copy_to_parquet", lambda *given: (both.wait(20), write(*given))[1])
    monkeypatch.setattr(Directory, "checksum", lambda store, file: (summed.append(file), checksum(store, file))[1])
    version = warehouse.land("t", streams=2)
    assert sorted(Path(file).name for file in summed) == [file.name for file in typed_files(version)]
    assert len(summed) == 2
    assert list(problems(version, deep=True)) == []
