"""What should not have been published goes, on every engine, and `_latest` shows the slice before it."""

import json

import pytest

from tests.sql.project_files import on_orders

FILES = on_orders(
    {
        "daily": "select id from {{ slice('erp', 'orders') }}",
        "daily_latest": "{{ latest('daily') }}",
        "copy": "select id from {{ slice('daily') }}",
    }
)
DAYS = ["2013-01-05", "2013-01-06"]


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied, engine):
    made = emptied(make_project(FILES))
    for number, ds in enumerate(DAYS):
        made.land("orders", ds, f"select {number} as id", "id int")
        made.build(ds)
    return made


def test_a_slice_is_taken_away_and_latest_goes_back(run, project, engine):
    target = ["--target", engine]
    assert project.query("select id from analytics.daily_latest") in ([(1,)], [[1]])
    code, _, err = run("unpublish", "daily", DAYS[1], *target)
    assert code == 2
    assert "--yes goes on without a question" in err
    code, out, err = run("unpublish", "daily", DAYS[1], "--yes", *target)
    assert code == 0
    assert out.startswith(f"daily {DAYS[1]}: unpublished v")
    assert f"copy: {DAYS[1]}: reads daily" in err
    assert list(project.published("daily")) == DAYS[:1]
    assert [tuple(row) for row in project.query("select id from analytics.daily")] == [(0,)]
    assert [tuple(row) for row in project.query("select id from analytics.daily_latest")] == [(0,)]
    code, out, _ = run("versions", "daily", "--ds", DAYS[1], "--json", *target)
    assert json.loads(out) == []
    code, _, err = run("unpublish", "daily", DAYS[1], "--yes", *target)
    assert code == 2
    assert "is not published" in err
    project.build(DAYS[1])
    assert list(project.published("daily")) == DAYS
