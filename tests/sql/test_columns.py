"""Columns of every kind of type and name, and what runs around a publication."""

import time

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - name: orders
        columns: [{name: id, data_type: integer}, {name: n, data_type: integer}]
models:
  - name: nested
    config: {meta: {slice: events}, persist_docs: {relation: true, columns: true}}
    description: What it holds.
    columns: [{name: id, description: The number.}]
  - name: declared
    config: {meta: {slice: events}}
    columns:
      - {name: nothing, data_type: varchar}
      - {name: wide, data_type: bigint}
  - {name: bare_null, config: {meta: {slice: events}}}
  - name: narrowed
    config: {meta: {slice: events}}
    columns: [{name: n, data_type: smallint}]
  - name: foreign_word
    config: {meta: {slice: events}}
    columns: [{name: n, data_type: no_such_type}]
  - {name: doubled, config: {meta: {slice: events}}}
  - {name: doubled_by_case, config: {meta: {slice: events}}}
  - {name: doubled_ds, config: {meta: {slice: events}}}
  - {name: hooked, config: {meta: {slice: events}}}
  - {name: keyed, config: {meta: {slice: events}, unique_key: [id, n]}}
  - {name: begins_later, config: {meta: {slice: events, start: 2013-01-02}}}
  - {name: compared, config: {meta: {slice: events}}}
  - name: python_rows
    config: {meta: {slice: events}}
unit_tests:
  - name: two_offsets_of_one_table
    model: compared
    overrides: {vars: {ds: 2013-01-05}}
    given:
      - input: source('erp', 'orders')
        rows:
          - {id: 1, n: 7, ds: 2013-01-05}
          - {id: 1, n: 3, ds: 2013-01-04}
          - {id: 1, n: 9, ds: 2013-01-03}
    expect: {rows: [{id: 1, more: 4}]}
"""
NESTED = {
    "local": """select id, {'a': n, 'b c': 'x'} as one, [{'a': n}, {'a': null}] as many, n as "a ""quoted"" name" """,
    "trino": """select id, cast(row(n, 'x') as row(a integer, b varchar)) as one,
        array[cast(row(n) as row(a integer))] as many, n as plain """,
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied, engine):
    orders = "from {{ source('erp', 'orders') }}"
    joined = orders + " as a join {{ slice('erp', 'orders') }} as b using (id)"
    moment = "cast('2013-01-01 23:30:00+00:00' as timestamp with time zone)"
    seen = "select count(*) as n from {{ this }} where ds = '{{ ds() }}'"
    told = "create table {{ target.schema }}.told_"
    before = [{"sql": f"{told}1 as select 0 as n", "transaction": False}, f"{told}2 as select 0 as n"]
    after = [f"{told}3 as {seen}", {"sql": f"{told}4 as {seen}", "transaction": False}]
    made = emptied(
        make_project(
            {
                "models/models.yml": YAML,
                "models/nested.sql": NESTED[engine] + orders,
                "models/declared.sql": "select id, null as nothing, n as wide " + orders,
                "models/bare_null.sql": "select id, null as nothing " + orders,
                "models/narrowed.sql": "select n " + orders,
                "models/foreign_word.sql": "select n " + orders,
                "models/doubled.sql": "select a.id, a.n, b.n " + joined,
                "models/doubled_by_case.sql": 'select id, n as "ID" ' + orders,
                "models/doubled_ds.sql": "select a.*, b.ds " + joined,
                "models/hooked.sql": f"{{{{ config(pre_hook={before}, post_hook={after}) }}}} select id {orders}",
                "models/keyed.sql": "select id, 1 as n " + orders + " union all select 1, 1",
                "models/begins_later.sql": "select id " + orders,
                "models/compared.sql": "select today.id, today.n - before.n as more "
                "from {{ source('erp', 'orders') }} as today "
                "join {{ slice('erp', 'orders', -1) }} as before on today.id = before.id",
                "models/python_rows.py": "def model(dbt, session):\n"
                "    dbt.config(materialized='incremental', incremental_strategy='slice')\n"
                "    orders = dbt.source('erp', 'orders')\n"
                "    return orders.project('id, n + 1 as n')\n",
                "models/zoned.sql": f"select cast({moment} as date) as day {orders}",
            }
        )
    )
    for number, ds in enumerate(("2013-01-01", "2013-01-02")):
        made.land("orders", ds, f"select 1 as id, {number + 5} as n", "id int, n int")
    return made


def test_structs_lists_of_them_and_names_with_quotes_are_stored(project, engine):
    for ds in ("2013-01-01", "2013-01-02"):
        assert project.build(ds, "nested")["nested"].status == "success"
    if engine == "local":
        assert project.query('select one, many, "a ""quoted"" name" from analytics.nested order by ds')[1] == (
            {"a": 6, "b c": "x"},
            [{"a": 6}, {"a": None}],
            6,
        )
    else:
        assert project.query("select one.a, many[1].a, plain from analytics.nested order by ds")[1] == (6, 6, 6)


def test_a_null_and_a_wider_type_are_stored_as_the_yaml_says(project, engine):
    assert project.build("2013-01-01", "declared")["declared"].status == "success"
    assert project.query("select typeof(nothing), typeof(wide), wide from analytics.declared") in (
        [("VARCHAR", "BIGINT", 5)],
        [("varchar", "bigint", 5)],
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("bare_null", "column nothing is null and of no type"),
        ("narrowed", "column n is integer in the SELECT and smallint in the YAML"),
        ("foreign_word", "foreign_word: a data_type that the engine does not know"),
        ("keyed", "unique_key id, n: 1 failing"),
        ("begins_later", "begins_later begins at 2013-01-02"),
    ],
)
def test_what_cannot_be_stored_is_refused(project, model, said):
    assert said in project.build("2013-01-01", model)[model].message
    assert project.published(model) == {}


@pytest.mark.parametrize(("model", "column"), [("doubled", "n"), ("doubled_by_case", "ID"), ("doubled_ds", "ds")])
def test_a_column_that_is_selected_twice_is_refused_and_not_renamed(project, engine, model, column):
    found = project.build("2013-01-01", model)[model]
    assert found.status == "error"
    if engine == "local":
        assert f"models/{model}.sql: {model}: column {column} is selected twice" in found.message
    assert project.published(model) == {}


def test_hooks_run_around_the_publication(project):
    built = project.build("2013-01-02", "hooked")
    assert built["hooked"].status == "success", built["hooked"].message
    assert [project.query(f"select n from analytics.told_{hook}") for hook in (1, 2, 3, 4)] == [
        [(0,)],
        [(0,)],
        [(1,)],
        [(1,)],
    ]


def test_descriptions_are_persisted_or_a_line_says_why_not(project, engine):
    project.build("2013-01-01", "nested")
    if engine == "local":
        assert any("persist_docs is for Trino" in each for each in project.dbt.warnings)
    else:
        assert "The number." in project.query("show create table analytics.nested")[0][0]


def test_sessions_have_the_project_s_time_zone_whatever_the_machine_s(project, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert project.build("2013-01-01", "zoned")["zoned"].status == "success"
    finally:
        monkeypatch.undo()
        time.tzset()
    assert project.query("select cast(day as varchar) from analytics.zoned") == [("2013-01-01",)]


def test_a_unit_test_may_give_two_offsets_of_one_table(project):
    project.build("2013-01-02", "compared")
    results = project.dbt.run(["test", "--select", "compared"], "2013-01-02")
    assert [each.status for each in results if each.unique_id.startswith("unit_test.")] == ["pass"]


def test_a_python_model_is_a_table_of_slices_on_the_engine_that_runs_python(project, engine):
    built = project.build("2013-01-01", "python_rows")["python_rows"]
    if engine == "trino":
        assert built.status == "error"
        assert "python" in built.message
        return
    assert built.status == "success", built.message
    assert project.query("select id, n, ds from analytics.python_rows") == [(1, 6, "2013-01-01")]
