"""`dayslice retain` and `rollback` of models on the local target."""

import json

import pytest

from tests.sql.project_files import on_orders

DAYS = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04"]


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(
        on_orders(
            {
                "kept_short": "select id from {{ slice('erp', 'orders') }}",
                "kept_short_latest": "{{ latest('kept_short') }}",
                "reader": "select id from {{ slice('kept_short') }}",
            },
            {"kept_short": {"retention": "2 days"}},
        )
    )
    for ds in DAYS:
        project.land("orders", ds, "select 1", "id int")
        built = project.build(ds, "kept_short", "kept_short_latest", *([] if ds == DAYS[1] else ["reader"]))
        assert {each.status for each in built.values()} == {"success"}
    return project


def test_expired_slices_go_but_for_those_that_are_still_to_be_read(project, run):
    before = project.published("kept_short")
    code, planned, error = run("retain", "--select", "kept_short", "--dry-run", "--json")
    assert code == 0, error
    (table,) = json.loads(planned)
    assert (table["slices"], table["needed"]) == ([DAYS[0]], [DAYS[1]])
    assert project.published("kept_short") == before, "a dry run changes nothing"

    code, done, _ = run("retain", "--select", "kept_short", "--json")
    assert json.loads(done) == json.loads(planned)
    assert sorted(project.published("kept_short")) == DAYS[1:]
    assert project.query("select ds, count(*) from analytics.kept_short group by ds order by ds") == [
        (ds, 1) for ds in DAYS[1:]
    ]
    assert project.query("select distinct ds from analytics.kept_short_latest") == [(DAYS[-1],)]
    code, again, _ = run("retain", "--select", "kept_short")
    assert (code, again) == (0, "kept_short: 1 slices kept: a slice still to be computed reads them\n")


def test_a_model_s_slice_is_rolled_back_to_the_version_before(project, run):
    ds = DAYS[-1]
    before = project.published("kept_short")[ds]
    project.land("orders", ds, "select 2 union all select 3", "id int")
    project.build(ds, "kept_short")
    count = f"select count(*) from analytics.kept_short where ds = '{ds}'"
    assert project.query(count) == [(2,)]
    code, said, error = run("rollback", "kept_short", "--ds", ds)
    assert code == 0, error
    assert f"published {before.id}, 1 rows (was " in said
    assert project.published("kept_short")[ds] == before
    assert project.query(count) == project.query(count.replace("kept_short", "kept_short_latest")) == [(1,)]
    code, listed, _ = run("versions", "kept_short", "--ds", ds, "--json")
    assert [each["published"] for each in json.loads(listed)] == [False, True], listed
