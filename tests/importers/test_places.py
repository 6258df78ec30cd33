"""Wherever the warehouse lies, and whatever its folders are called, a slice's rows are its own."""

import shutil

import pytest
from dayslice_importers import finishing

from dayslice.errors import DaysliceError
from tests.importers.warehouse import DS, Warehouse


@pytest.mark.parametrize("folder", ["region=eu", "ds=1999-01-01", "v=9", "what?", "w*t", "a[b]c", "w'at", "über uns"])
def test_folders_of_any_name_above_a_slice_change_nothing(database, tmp_path, folder):
    database.execute("create table t as select 7 as id, 'own'::text as region, 'mine'::text as v")
    warehouse = Warehouse(tmp_path / folder / "home", str(tmp_path / folder / "landing"))
    # What the name as a pattern would find as well.
    other = tmp_path / folder.replace("?", "x").replace("*", "ha").replace("[b]", "b")
    warehouse.land("t", ds="2013-01-04")
    warehouse.land("t")
    if other != tmp_path / folder:
        shutil.copytree(tmp_path / folder, other)
    expected = [(7, "own", "mine", ds) for ds in ("2013-01-04", DS)]
    assert warehouse.query("select id, region, v, ds from erp.t order by ds") == expected
    assert warehouse.query(f"select id, region, v, ds from erp.t where ds = '{DS}'") == expected[1:]
    assert warehouse.query("select ds from erp.t_latest") == [(DS,)]


def test_a_byte_that_flips_is_an_error_and_not_another_number(database, tmp_path):
    database.execute("create table t as select n as id, n * 7919 as v from generate_series(1, 2000) as n")
    warehouse = Warehouse(tmp_path)
    warehouse.land("t", columnar=False)
    [file] = (tmp_path / "landing").rglob("*.csv.zst")
    whole = file.read_bytes()
    noticed = 0
    for at in range(len(whole) // 3, len(whole) - 4, len(whole) // 12):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Exception, match=r"(?i)zstd|csv|conversion|checksum|corrupt"):
            warehouse.query("select sum(v) from erp.t")
        noticed += 1
    assert noticed > 5


def test_a_file_that_is_missing_when_the_counts_are_compared_stops_publication(database, tmp_path, monkeypatch):
    database.execute("create table t as select 1 as id")
    warehouse = Warehouse(tmp_path)
    real = finishing.check_counts

    def lost(landing, version):
        for file in (tmp_path / "landing").rglob("*.csv.zst"):
            file.rename(file.with_name("another.csv.zst"))
        real(landing, version)

    monkeypatch.setattr(finishing, "check_counts", lost)
    with pytest.raises(DaysliceError, match=r"lie in .* \(1 files and 1, by name\), so nothing was published"):
        warehouse.land("t")
