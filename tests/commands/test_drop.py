"""What no file of the project makes any more is dropped on purpose; nothing else ever is."""

import json

import pytest

FILES = {
    "models/models.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
  - name: landed
    schema: erp
    tables: [{name: by_others}]
models:
  - {name: daily, config: {meta: {slice: events}}}
""",
    "models/daily.sql": "select id from {{ source('erp', 'orders') }}",
    "models/daily_latest.sql": "{{ latest('daily') }}",
}
GONE = {
    "models/gone.sql": "select id from {{ ref('daily') }}",
    "models/gone_latest.sql": "{{ latest('gone') }}",
    "models/plain.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('daily') }}",
    "models/seen.sql": "{{ config(materialized='view') }} select n from {{ ref('plain') }}",
}
DAYS = ["2013-01-05", "2013-01-06"]


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied, engine):
    made = emptied(make_project({**FILES, **GONE}))
    for ds in DAYS:
        made.land("orders", ds, "select 1 as id", "id int")
        made.build(ds)
    made.land("by_others", DAYS[0], "select 1 as id", "id int")
    for name in GONE:
        (made.root / name).unlink()
    return made


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("analytics.daily", "daily (models/daily.sql) makes it"),
        ("analytics.DAILY", "daily (models/daily.sql) makes it"),
        ("daily_latest", "daily_latest (models/daily_latest.sql) makes it"),
        ("erp.orders", "erp.orders (models/models.yml) makes it"),
        ("erp.orders_latest", "erp.orders's orders_latest (models/models.yml) makes it"),
        ("erp.by_others", "is landed by somebody else"),
        ("analytics.nowhere", "there is no analytics.nowhere that nothing owns; left over are: analytics.gone, "),
    ],
)
def test_what_has_an_owner_is_never_dropped(run, project, engine, name, said):
    code, _, err = run("drop", name, "--yes", "--target", engine)
    assert code == 2
    assert said in err
    assert list(project.published("daily")) == DAYS


def test_what_is_left_over_is_listed_named_and_dropped_with_its_files(run, project, engine):
    target = ["--target", engine]
    code, out, _ = run("drop", "--json", *target)
    assert code == 0
    listed = {each["table"]: each for each in json.loads(out)}
    assert {name: each["kind"] for name, each in listed.items()} == {
        "analytics.gone": "slices",
        "analytics.gone_latest": "view",
        "analytics.plain": "table",
        "analytics.seen": "view",
    }
    assert listed["analytics.gone"]["slices"] == DAYS
    code, out, err = run("drop", "analytics.gone", *target)
    assert code == 2
    assert "analytics.gone: 2 slices, 2013-01-05 to 2013-01-06, " in out
    assert "analytics.gone_latest: a view" in out
    assert "--yes goes on without a question" in err
    assert list(project.published("gone")) == DAYS
    code, out, _ = run("drop", "analytics.gone", "plain", "seen", "--yes", *target)
    assert code == 0
    assert out.count("dropped analytics.") == 4
    assert project.published("gone") == {}
    assert (
        run("drop", *target)[1] == "nothing is left over: each table and view in the project's schemas has its file\n"
    )
    if engine == "local":
        assert not (project.home / "landing" / "analytics" / "gone").exists()
        assert (project.home / "landing" / "analytics" / "daily").exists()
        seen = project.query("select table_name from information_schema.tables where table_schema = 'analytics'")
        assert {name for (name,) in seen} == {"daily", "daily_latest"}
    assert [tuple(row) for row in project.query("select count(*) from analytics.daily")] == [(2,)]


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # the files are the store's on every engine
def test_a_drop_that_was_killed_before_its_files_went_is_gone_on_with(run, project, engine, monkeypatch):
    project.write({"models/gone.sql": GONE["models/gone.sql"]})
    project.build(DAYS[0], "gone")
    (project.root / "models/gone.sql").unlink()

    def killed(self, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dayslice.store.directory.Directory.remove", killed)
        assert run("drop", "analytics.gone", "--yes")[0] == 130
    assert (project.home / "landing" / "analytics" / "gone").exists()
    code, out, _ = run("drop", "analytics.gone", "--yes")
    assert code == 0
    assert "analytics.gone: files only" in out
    assert not (project.home / "landing" / "analytics" / "gone").exists()
