"""An import's earlier version is published again; what retention lets go is deleted, on the local target."""

import shutil

import pytest

from dayslice.errors import Refused, UsageError
from dayslice.runner.retain import retain
from dayslice.runner.rollback import roll_back
from dayslice.store.choice import open_store
from tests.importers.warehouse import DS, Warehouse

DAYS = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04"]


@pytest.fixture
def source(make_database, monkeypatch):
    database = make_database()
    monkeypatch.setenv("DAYSLICE_CONNECTION_SOURCE", database.dsn)
    return database


def check_rollback(database, warehouse):
    """The same promise on each engine: back to a version with another type and a column less, and forth again."""
    database.execute("create table retyped (id int, v text)")
    database.execute("insert into retyped values (1, 'abc')")
    first = warehouse.land("retyped")
    database.execute("alter table retyped alter column v type int using length(v)")
    database.execute("alter table retyped add column more int default 9")
    middle = warehouse.land("retyped", accept=True)
    second = warehouse.land("retyped")  # from here on, nothing that is published has the column as text
    node = warehouse.node("retyped")
    shown = "select id, cast(v as varchar) from erp.{} where ds = '" + DS + "'"
    assert warehouse.query(shown.format("retyped")) == [(1, "3")]

    before, now = roll_back(warehouse.project, node, DS)
    assert (before.id, now) == (second.id, middle)
    before, now = roll_back(warehouse.project, node, DS)
    assert (before.id, now) == (middle.id, first)
    for name in ("retyped", "retyped_latest"):
        assert warehouse.query(shown.format(name)) == [(1, "abc")]
    _, now = roll_back(warehouse.project, node, DS, second.id)
    assert now == second
    assert warehouse.query("select id, cast(v as varchar), more from erp.retyped_latest") == [(1, "3", 9)]

    open_store(first.location).remove("")
    with pytest.raises(Refused, match="is not there"):
        roll_back(warehouse.project, node, DS, first.id)
    with pytest.raises(UsageError, match="is published already"):
        roll_back(warehouse.project, node, DS, second.id)
    assert warehouse.query(shown.format("retyped")) == [(1, "3")]


def test_an_import_goes_back_to_an_earlier_version_and_forth_again(source, tmp_path):
    check_rollback(source, Warehouse(tmp_path))


def test_slices_and_versions_of_an_import_go_first_and_their_files_a_grace_time_later(source, tmp_path, monkeypatch):
    warehouse = Warehouse(tmp_path)
    source.execute("create table t (id int)")
    source.execute("insert into t values (1)")
    landed = [warehouse.land("t", ds) for ds in DAYS]
    again = [warehouse.land("t", DAYS[-1]) for _ in range(2)]
    node = warehouse.node("t", retention=["2 days", "keep 2 versions"])
    (planned,) = retain(warehouse.project, [node], dry_run=True)
    assert (planned.slices, planned.versions) == (DAYS[:2], [landed[-1].id])
    assert sorted(warehouse.published("t")) == DAYS, "a dry run changes nothing"

    files = warehouse.landed()
    (done,) = retain(warehouse.project, [node])
    assert done == planned
    assert warehouse.landed() == files, "somebody may be reading them"
    assert sorted(warehouse.published("t")) == DAYS[2:]
    assert [each.id for each in warehouse.versions("t", DAYS[-1])] == [again[1].id, again[0].id]
    assert warehouse.query("select distinct ds from erp.t order by ds") == [(ds,) for ds in DAYS[2:]]
    assert warehouse.query("select distinct ds from erp.t_latest") == [(DAYS[-1],)]

    monkeypatch.setenv("DAYSLICE_GRACE_HOURS", "0")
    (swept,) = retain(warehouse.project, [node])
    gone = {version.id for version in landed[:2]} | {landed[-1].id}
    assert {each.rpartition("/")[2] for each in swept.files} == gone
    assert warehouse.landed() == [each for each in files if each.rpartition("/")[2] not in gone]
    assert warehouse.query("select distinct ds from erp.t order by ds") == [(ds,) for ds in DAYS[2:]]
    assert next(retain(warehouse.project, [node])).files == []


def test_a_version_that_lies_elsewhere_is_not_published_again(source, tmp_path):
    """A home that was copied has the records of the other one's files."""
    warehouse = Warehouse(tmp_path / "home")
    source.execute("create table t as select 1 as id")
    first = warehouse.land("t")
    second = warehouse.land("t")
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    copy = Warehouse(tmp_path / "copy")
    with pytest.raises(Refused, match=rf"{first.id} cannot be published: its recorded place .* not in this warehouse"):
        roll_back(copy.project, copy.node("t"), DS)
    assert copy.published("t")[DS] == second
    assert roll_back(warehouse.project, warehouse.node("t"), DS)[1] == first
