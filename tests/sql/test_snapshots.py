"""dbt's snapshots of a table of slices: the same history on both engines, ds by ds."""

import pytest

DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]
ORDERS = (
    "select 1 as id, 'a' as name union all select 2, 'b'",
    "select 1 as id, 'changed' as name union all select 3, 'c'",
    "select 1 as id, 'changed' as name union all select 2, 'b' union all select 3, 'c'",
)
SNAPSHOT = """
snapshots:
  - name: {name}
    relation: ref('daily')
    config: {{unique_key: id, strategy: check, check_cols: [name], hard_deletes: {hard_deletes}}}
"""
FILES = {
    "models/models.yml": """
sources:
  - name: erp
    config: {meta: {connection: erp}}
    tables: [{name: orders}]
models:
  - {name: daily, config: {meta: {owner: a}}}
""",
    "models/daily.sql": "select id, name from {{ slice('erp', 'orders') }}",
    "snapshots/ended.yml": SNAPSHOT.format(name="ended", hard_deletes="invalidate"),
    "snapshots/marked.yml": SNAPSHOT.format(name="marked", hard_deletes="new_record"),
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied):
    """Three ds: one row changes, one goes and comes back, one is new."""
    made = emptied(make_project(FILES))
    made.seen = []
    for ds, orders in zip(DAYS, ORDERS, strict=True):
        made.land("orders", ds, orders, "id int, name varchar")
        built = made.build(ds)
        assert not [each.message for each in built.values() if each.failed]
        made.seen.append(history(made, "ended"))
    return made


def history(project, table, *columns):
    names = ", ".join(["id", "name", *columns])
    return sorted(project.query(f"select {names}, dbt_valid_to is null from analytics.{table}"))


def test_rows_that_change_or_go_are_ended_and_what_comes_back_begins_anew(project):
    assert project.seen[0] == [(1, "a", True), (2, "b", True)]
    assert project.seen[1] == [(1, "a", False), (1, "changed", True), (2, "b", False), (3, "c", True)]
    assert project.seen[2] == sorted([*project.seen[1], (2, "b", True)])


def test_a_row_that_goes_can_be_marked(project):
    assert history(project, "marked", "dbt_is_deleted") == sorted(
        [
            (1, "a", "False", False),
            (1, "changed", "False", True),
            (2, "b", "False", False),
            (2, "b", "True", False),
            (2, "b", "False", True),
            (3, "c", "False", True),
        ]
    )


def test_each_row_ends_when_the_next_begins(project):
    overlaps = """
        select count(*)
        from analytics.ended as one
        join analytics.ended as next on one.id = next.id and one.dbt_valid_from < next.dbt_valid_from
        where one.dbt_valid_to is null or one.dbt_valid_to > next.dbt_valid_from
    """
    assert project.query(overlaps) == [(0,)]


def test_the_same_ds_again_changes_nothing(project):
    before = history(project, "ended", "dbt_valid_from", "dbt_valid_to")
    (result,) = project.dbt.run(["snapshot", "--select", "ended"], DAYS[-1])[-1:]
    assert not result.failed, result.message
    assert history(project, "ended", "dbt_valid_from", "dbt_valid_to") == before


def test_a_new_column_is_null_in_what_was_there(project):
    project.write({"models/daily.sql": "select id, name, id * 10 as tens from {{ slice('erp', 'orders') }}"})
    orders = "select 1 as id, 'again' as name union all select 2, 'b' union all select 3, 'c'"
    project.land("orders", "2013-01-04", orders, "id int, name varchar")
    built = project.build("2013-01-04", "+ended")
    assert not [each.message for each in built.values() if each.failed]
    found = project.query("select name, tens from analytics.ended where id = 1 order by dbt_valid_from")
    assert found == [("a", None), ("changed", None), ("again", 10)]
