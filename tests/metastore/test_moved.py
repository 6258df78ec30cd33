"""A warehouse that was moved, or restored elsewhere: its home takes it once, and all is read from there."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from dayslice.engines.embedded import copy_to_parquet, open_engine
from dayslice.errors import DaysliceError, Refused
from dayslice.metastore import readers_file
from dayslice.metastore.ownership import take_places
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.runner.fenced_duckdb import fenced_duckdb
from dayslice.runner.verify import Verified, verify_whole_tables
from tests.importers.warehouse import Warehouse
from tests.local_files import land_slice, metastore_of, readers

T, SEED = Table("analytics", "t"), Table("analytics", "seed")


@pytest.fixture
def moved(tmp_path):
    """A home of a table of two slices, one of them replaced, and of a seed, under another name than it was made in."""
    before = tmp_path / "before"
    for ds, row in (("2013-01-01", "select 1"), ("2013-01-02", "select 0"), ("2013-01-02", "select 2")):
        land_slice(before, T, ds, row, "id int")
    place = before / "landing" / "analytics" / "seed" / "v1"
    place.mkdir(parents=True)
    with open_engine(before, str(before / "landing")) as connection:
        rows = copy_to_parquet(connection, "select 7 as id", f"{place}/part-00.parquet")
    size = (place / "part-00.parquet").stat().st_size
    more = {"columns": '[["id", "INTEGER"]]', "parts": '["part-00.parquet"]', "sizes": json.dumps([size])}
    with metastore_of(before) as metastore:
        metastore.publish(Version(Slice(SEED, ""), "v1", Receipt(rows=rows, files=1, more=more), str(place)))
    readers_file.make(before / "dayslice.duckdb", before / "metastore.sqlite", str(before / "landing"))
    return before.rename(tmp_path / "after")


def test_what_is_recorded_elsewhere_is_recorded_here_and_read(moved):
    warehouse = str(moved / "landing")
    with metastore_of(moved) as metastore:
        assert take_places(metastore, warehouse) == 4
        assert take_places(metastore, warehouse) == 0
        assert {Path(version.location).is_dir() for version in metastore.all_versions()} == {True}
    with readers(moved) as connection:
        assert connection.execute("select id from analytics.t order by ds").fetchall() == [(1,), (2,)]
        assert connection.execute("select id from analytics.seed").fetchall() == [(7,)]


def test_where_a_file_is_not_here_nothing_is_changed(moved):
    next((moved / "landing" / "analytics" / "t").rglob("*.parquet")).unlink()
    with metastore_of(moved) as metastore:
        before = metastore.all_versions()
        with pytest.raises(Refused, match="Nothing was changed: bring the files here first"):
            take_places(metastore, str(moved / "landing"))
        assert metastore.all_versions() == before


def test_who_asks_a_moved_warehouse_is_told_what_to_do(moved):
    target = Warehouse(moved).project.target
    with (
        fenced_duckdb(target, "UTC") as fenced,
        pytest.raises(DaysliceError, match="dayslice adopt"),
        fenced.ask("select id from t") as answer,
    ):
        list(answer.rows())


def test_verify_looks_at_tables_without_slices_too(moved):
    with metastore_of(moved) as metastore:
        take_places(metastore, str(moved / "landing"))
    project = SimpleNamespace(target=Warehouse(moved).project.target)
    seen = Verified()
    assert list(verify_whole_tables(project, deep=False, seen=seen)) == []
    assert (seen.versions, seen.files) == (1, 1)
    next((moved / "landing" / "analytics" / "seed").rglob("*.parquet")).write_bytes(b"")
    [damage] = verify_whole_tables(project, deep=False, seen=Verified())
    assert (damage.table, damage.ds) == ("seed", "")
    assert "0 bytes where" in damage.problem
