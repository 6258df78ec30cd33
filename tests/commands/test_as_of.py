"""`dayslice sql --as-of`: what was published then is read, and what is not kept any more is refused by name."""

from datetime import UTC, datetime, timedelta

import pytest

import dayslice
from dayslice.errors import UsageError
from dayslice.rules.slices import Slice, Table
from tests.sql.warehouse_project import WarehouseProject

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: flat, config: {meta: {slice: events}}}
"""
DAYS = ["2013-01-01", "2013-01-02"]
FLAT = Table("analytics", "flat")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Day 1 in three versions with the ids 1, 2, 3; day 2 is published between the second and the third."""
    files = {
        "models/models.yml": YAML,
        "models/flat.sql": "select id from {{ source('erp', 'orders') }}",
        "models/flat_latest.sql": "{{ latest('flat') }}",
        "models/ids.sql": "{{ config(materialized='view') }} select id, ds from {{ ref('flat') }}",
        "models/other.sql": "{{ config(materialized='table') }} select 1 as one",
    }
    made = WarehouseProject(tmp_path_factory.mktemp("project"), files)
    made.times = []
    for ds, number in ((DAYS[0], 1), (DAYS[0], 2), (DAYS[1], 20), (DAYS[0], 3)):
        made.times.append(datetime.now(UTC))
        made.land("orders", ds, f"select {number} as id", "id int")
        made.build(ds)
    made.times.append(datetime.now(UTC))
    return made


def as_of(project, number):
    return project.times[number].isoformat()


@pytest.mark.parametrize(
    ("moment", "rows"),
    [(1, "1,2013-01-01"), (2, "2,2013-01-01"), (3, "2,2013-01-01 20,2013-01-02"), (4, "3,2013-01-01 20,2013-01-02")],
)
@pytest.mark.parametrize("table", ["flat", "ids"])
def test_what_was_published_then_is_read(run, project, moment, rows, table):
    statement = f"select id, ds from {table} order by ds"
    code, out, err = run("sql", statement, "--csv", "--as-of", as_of(project, moment))
    assert (code, " ".join(out.split()[1:])) == (0, rows)
    assert err.startswith("analytics.flat as of 20")
    assert "is known from its first version on" in err


def test_the_latest_view_is_that_of_then(run, project):
    found = [run("sql", "select id from flat_latest", "--csv", "--as-of", as_of(project, n))[1] for n in (2, 3)]
    assert found == ["id\n2\n", "id\n20\n"]


def test_before_its_first_slice_a_table_is_not_there(run, project):
    code, _, err = run("sql", "select * from flat", "--as-of", as_of(project, 0))
    assert code == 2
    assert "flat does not exist" in err or "no schema" in err
    code, _, err = run("sql", "select 1", "--as-of", "2999-01-01")
    assert code == 2
    assert "is still to come" in err


def test_nothing_of_now_is_changed_by_it(run, project):
    before = project.published("flat")
    run("sql", "select * from flat", "--as-of", as_of(project, 1))
    assert project.published("flat") == before
    assert project.query("select id from analytics.flat order by ds") == [(3,), (20,)]


def test_notebooks_look_back_too(project):
    past = as_of(project, 2)
    assert list(dayslice.read("flat", as_of=past, project=project.root)) == [(2, DAYS[0])]
    assert list(dayslice.read("flat", ds=DAYS[0], as_of=project.times[1], project=project.root)) == [(1, DAYS[0])]
    assert list(dayslice.sql("select sum(id) from flat", as_of=past, project=project.root)) == [(2,)]
    with pytest.raises(UsageError, match="is not published"):
        dayslice.read("flat", ds=DAYS[1], as_of=past, project=project.root)
    with pytest.raises(UsageError, match="give one of them"):
        dayslice.read("flat", ds=DAYS[1], version="v", as_of=past, project=project.root)


def test_a_rollback_is_said(run, project):
    with project.metastore() as metastore:
        newest, before, _ = metastore.versions(Slice(FLAT, DAYS[0]))
        metastore.publish(before)
    try:
        later = (datetime.now(UTC) - timedelta(milliseconds=1)).isoformat()
        code, out, err = run("sql", f"select id from flat where ds = '{DAYS[0]}'", "--csv", "--as-of", later)
        assert (code, out) == (0, "id\n2\n")
        assert "1 of its slices were rolled back at a time that is not known" in err
    finally:
        with project.metastore() as metastore:
            metastore.publish(newest)


def test_what_is_not_kept_any_more_is_refused_and_the_rest_is_read(run, project):
    """The last one here: the oldest version of the first day goes."""
    with project.metastore() as metastore:
        metastore.forget(metastore.versions(Slice(FLAT, DAYS[0]))[-1])
    statement = "select id from {}"
    for table in ("flat", "ids", "flat_latest", "(select * from flat where ds <= '2013-01-01') as t"):
        code, _, err = run("sql", statement.format(table), "--as-of", as_of(project, 1))
        assert code == 2, table
        assert f"analytics.flat: what was published at {project.times[1]:%Y-%m-%d %H:%M} of the slice" in err
        assert "is not kept any more; all of it is known from 20" in err
    later = statement.format("flat where ds > '2013-01-01'")
    code, out, err = run("sql", later, "--csv", "--as-of", as_of(project, 3))
    assert (code, out) == (0, "id\n20\n")
    assert "is known back to 20" in err
    with pytest.raises(UsageError, match="is not kept any more"):
        dayslice.read("flat", ds=DAYS[0], as_of=project.times[1], project=project.root)
    assert list(dayslice.read("flat", as_of=project.times[3], project=project.root)) == [(2, DAYS[0]), (20, DAYS[1])]
