"""A recorded location is used only where it is the one place where that version may lie."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dayslice.errors import Refused, UsageError
from dayslice.metastore.integrity import check_sizes, problems
from dayslice.metastore.places import misplaced
from dayslice.rules.slices import Receipt, Slice, Table, Version
from dayslice.runner.sweep import RETIRED, mark
from dayslice.store.choice import open_store
from tests.local_files import land_slice, metastore_of

HERE = Version(
    Slice(Table("erp", "orders"), "2013-01-05"),
    "v1",
    Receipt(rows=1),
    "s3://bucket/files/erp/orders/v1/ds=2013-01-05",
)


@pytest.mark.parametrize(
    ("location", "warehouse", "said"),
    [
        (HERE.location, "s3://bucket/files", ""),
        (HERE.location.replace("s3:", "s3a:") + "/", "s3://bucket/files/", ""),
        ("", "s3://bucket/files", ""),
        (HERE.location, "s3://bucket", "not in this warehouse"),
        (HERE.location, "s3://other/files", "not in this warehouse"),
        (HERE.location, "/srv/files", "not in this warehouse"),
        ("s3://bucket/files/erp/orders/v1", "s3://bucket/files", "is not one of"),
        ("s3://bucket/files/erp/orders/v2/ds=2013-01-05", "s3://bucket/files", "is not one of"),
        ("s3://bucket/files/erp/orders/v1/ds=2013-01-06", "s3://bucket/files", "is not one of"),
        ("s3://bucket/files/erp/other/v1/ds=2013-01-05", "s3://bucket/files", "is not one of"),
        ("s3://bucket/files/crm/orders/v1/ds=2013-01-05", "s3://bucket/files", "is not one of"),
        ("s3://bucket/files/xerp/orders/v1/ds=2013-01-05/../../..", "s3://bucket/files", "is not one of"),
    ],
)
def test_a_version_has_one_place(location, warehouse, said):
    found = list(misplaced(replace(HERE, location=location), warehouse))
    assert said in "".join(found) if said else not found


def test_a_home_may_be_known_by_a_link(tmp_path):
    version = land_slice(tmp_path / "home", HERE.slice.table, "2013-01-05", "select 1", "id int")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert not list(problems(version, warehouse=str(tmp_path / "link" / "landing")))
    assert "not in this warehouse" in "".join(problems(version, warehouse=str(tmp_path / "landing")))


@pytest.fixture
def moved(tmp_path):
    """Two slices; the record of one says that it lies where the other does."""
    versions = [
        land_slice(tmp_path, HERE.slice.table, ds, f"select {n}", "id int")
        for n, ds in enumerate(["2013-01-05", "2013-01-06"])
    ]
    with sqlite3.connect(tmp_path / "metastore.sqlite") as connection:
        connection.execute("update versions set location = ? where ds = '2013-01-05'", [versions[1].location])
    with metastore_of(tmp_path) as metastore:
        return metastore.published(HERE.slice.table)["2013-01-05"]


def test_what_is_recorded_elsewhere_is_not_read(moved):
    with pytest.raises(
        Refused, match=r"orders 2013-01-05: version v.* is damaged: its recorded place .*ds=2013-01-06 is"
    ):
        check_sizes([moved])


@pytest.mark.parametrize("version", ["../../../../out", "a/b", ".."])
def test_a_version_that_is_no_folders_name_leaves_no_mark_outside(tmp_path, version):
    (tmp_path / "files").mkdir()
    with pytest.raises(UsageError, match="cannot be part of a path"):
        mark(open_store(str(tmp_path / "files")), "erp/orders", RETIRED, f"/{version}", "why")
    assert not list(Path(tmp_path).rglob("mark"))
