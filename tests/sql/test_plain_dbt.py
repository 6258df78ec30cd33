"""Models are ordinary dbt: what `ref` means in each kind of node, and what dbt knows of a table of slices."""

import pytest

from dayslice.errors import DaysliceError, UsageError
from dayslice.rules.plan import make_plan
from dayslice.runner.project import load_project
from dayslice.runner.runs import run_plan

DAYS = ("2013-01-01", "2013-01-02")
PROJECT = """
name: dayslice
version: 1.0.0
profile: dayslice
model-paths: [models]
macro-paths: [macros]
seed-paths: [seeds]
snapshot-paths: [snapshots]
models:
  dayslice:
    +materialized: incremental
    +incremental_strategy: slice
    +on_schema_change: append_new_columns
flags: {send_anonymous_usage_stats: false}
"""
YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: daily, config: {meta: {slice: events, lightdash: {joins: []}}}}
  - name: versioned
    latest_version: 2
    config: {meta: {slice: events}}
    versions: [{v: 1}, {v: 2}]
  - name: unmatched
    config: {meta: {slice: events}}
    columns:
      - name: boss
        data_tests:
          - relationships: {arguments: {to: ref('unmatched'), field: id}}
"""
# The idioms of packages such as dbt_utils: columns of a relation, and its name as a text.
MACROS = """
{% macro star(from) %}
  {%- for column in adapter.get_columns_in_relation(from) if column.name != 'ds' -%}
    {{ adapter.quote(column.name) }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}
{% macro union_relations(relations) %}
  {%- for relation in relations %}
    (select cast({{ dbt.string_literal(relation) }} as varchar) as came_from, {{ star(relation) }} from {{ relation }})
    {{ 'union all' if not loop.last }}
  {%- endfor -%}
{% endmacro %}
{% macro counted() %}
  {%- set n = run_query('select count(*) from ' ~ ref('daily')).columns[0].values()[0] -%}
  {%- do exceptions.raise_compiler_error('counted ' ~ n) if n != 3 -%}
{% endmacro %}
{% macro of_a_ds() %}{% do run_query("select '" ~ ds() ~ "'") %}{% endmacro %}
{% macro of_a_slice() %}{% do run_query('select count(*) from ' ~ slice('daily')) %}{% endmacro %}
"""


def changing(policy):
    """A model whose columns change from one ds to the next."""
    return (
        f"{{{{ config(on_schema_change='{policy}') }}}} "
        f"select id {{% if ds() == '{DAYS[1]}' %}}, 1 as more {{% endif %}}"
        "from {{ ref('daily') }}"
    )


MODELS = {
    "daily": "select id from {{ source('erp', 'orders') }}",
    "other_name": "{{ config(incremental_strategy='delete+insert', partition_by='ds') }} "
    "select id from {{ ref('daily') }};  -- a semicolon at the end",
    "beside_where": "select id from {{ ref('daily') }} where ds = '{{ ds() }}'",
    "again": "select {{ 1 if is_incremental() else 0 }} as again from {{ ref('daily') }} limit 1",
    "everything": "select count(*) as n from {{ all_slices('daily') }}",
    "both": "select count(*) as n, (select count(*) from {{ slice('daily', -1) }}) as before from {{ ref('daily') }}",
    "in_view": "{{ config(materialized='view') }} select id, ds from {{ ref('daily') }}",
    "of_view": "select id from {{ ref('in_view') }}",
    "in_table": "{{ config(materialized='table') }} select count(*) as n from {{ ref('daily') }}",
    "of_table": "select n from {{ ref('in_table') }}",
    "of_missing": "{{ config(incremental_strategy='append') }} select id from {{ slice('daily', -7) }}",
    "in_append": "{{ config(incremental_strategy='append') }} select count(*) as n from {{ ref('daily') }}",
    "of_append": "select count(*) as runs, max(n) as n from {{ ref('in_append') }}",
    "part": "{{ config(materialized='ephemeral') }} select count(*) as n, '{{ ds() }}' as day from {{ ref('daily') }}",
    "day": "{{ config(materialized='ephemeral') }} select '{{ ds() }}' as day",
    "of_part": "select n, day from {{ ref('part') }}",
    "starred": "{{ union_relations([ref('daily'), ref('dayslice', 'other_name')]) }}",
    "versioned_v1": "select 1 as version, count(*) as n from {{ ref('daily') }}",
    "versioned_v2": "select 2 as version, count(*) as n from {{ ref('daily') }}",
    "of_versions": "select version from {{ ref('versioned', v=1) }} "
    "union all select version from {{ ref('versioned') }}",
    "headed": """
{{ config(
  sql_header="create or replace temp macro twice(x) as 2 * x;" if target.type == 'dayslice_duckdb'
    else "set session join_reordering_strategy = 'NONE'"
) }}
select {{ 'twice(id)' if target.type == 'dayslice_duckdb' else '2 * id' }} as twice from {{ ref('daily') }}
""",
    "unmatched": "select id, id as boss from {{ ref('daily') }}",
    **{policy: changing(policy) for policy in ("ignore", "fail", "append_new_columns")},
}
FILES = {
    "dbt_project.yml": PROJECT,
    "models/models.yml": YAML,
    "macros/packages.sql": MACROS,
    **{f"models/{name}.sql": text for name, text in MODELS.items()},
    "snapshots/kept.yml": """
snapshots:
  - name: kept
    relation: ref('daily')
    config: {unique_key: id, strategy: check, check_cols: [id], hard_deletes: invalidate}
""",
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied):
    """Two ds of everything, built by plain dbt in the order of the days."""
    made = emptied(make_project(FILES))
    made.land("orders", DAYS[0], "select 1 as id", "id int")
    made.land("orders", DAYS[1], "select 2 as id union all select 3", "id int")
    made.built = {ds: made.build(ds) for ds in DAYS}
    return made


def rows(project, table, columns="*"):
    return project.query(f"select {columns} from analytics.{table} order by ds, 1")


def test_all_of_it_is_built_but_for_what_forbids_its_change(project):
    failed = {(ds, name) for ds, built in project.built.items() for name, each in built.items() if each.failed}
    # A slice before the first is not there to be counted.
    assert failed == {(DAYS[0], "both"), (DAYS[1], "fail"), *((ds, "of_missing") for ds in DAYS)}
    assert "analytics.daily 2012-12-26, which is not published" in project.built[DAYS[1]]["of_missing"].message


@pytest.mark.parametrize("table", ["daily", "other_name", "beside_where", "of_view"])
def test_a_plain_ref_or_source_is_this_run_s_slice(project, table):
    assert rows(project, table) == [(1, DAYS[0]), (2, DAYS[1]), (3, DAYS[1])]


def test_a_sql_header_goes_before_the_select_in_its_session(project):
    assert rows(project, "headed") == [(2, DAYS[0]), (4, DAYS[1]), (6, DAYS[1])]


def test_all_slices_are_read_by_a_macro_of_their_own(project):
    assert rows(project, "everything") == [(1, DAYS[0]), (3, DAYS[1])]


def test_an_incremental_model_knows_that_it_is_one(project):
    assert rows(project, "again") == [(0, DAYS[0]), (1, DAYS[1])]


def test_a_plain_ref_beside_an_offset_of_the_same_table_is_read_and_waited_for(project):
    assert rows(project, "both") == [(2, 1, DAYS[1])]
    waits = load_project(project.root).find("both").waits if project.dbt.target is None else ()
    assert {wait.offset for wait in waits} in ({0, -1}, set())


def test_in_a_table_between_ref_is_the_whole_table_as_it_stands(project):
    assert rows(project, "of_table") == [(1, DAYS[0]), (3, DAYS[1])]


def test_another_strategy_is_the_engine_s_own(project):
    assert rows(project, "of_append") == [(1, 1, DAYS[0]), (2, 3, DAYS[1])]
    assert not any(project.published("in_append")), "it has no slices"


def test_an_ephemeral_model_is_a_part_of_what_reads_it(project):
    assert rows(project, "of_part") == [(1, DAYS[0], DAYS[0]), (2, DAYS[1], DAYS[1])]


def test_macros_of_packages_find_columns_and_a_name(project):
    found = {name.split(".")[-1].strip('"') for name, *_ in project.query("select came_from from analytics.starred")}
    assert found == {"daily", "other_name"}
    assert len(rows(project, "starred")) == 6


def test_a_ref_with_a_version_is_that_version(project):
    assert [version for version, _ in rows(project, "of_versions")] == [1, 2, 1, 2]


def test_a_test_that_names_its_own_table_tests_the_staged_slice(project):
    assert project.built[DAYS[0]]["unmatched"].status == "success"
    assert project.built[DAYS[1]]["relationships_unmatched_boss__id__ref_unmatched_"].status == "pass"


def test_on_schema_change_is_followed(project):
    assert rows(project, "append_new_columns", "id, more, ds") == [(1, None, DAYS[0]), (2, 1, DAYS[1]), (3, 1, DAYS[1])]
    assert rows(project, "ignore") == [(1, DAYS[0]), (2, DAYS[1]), (3, DAYS[1])]
    assert rows(project, "fail") == [(1, DAYS[0])]
    assert "selects more" in project.built[DAYS[1]]["fail"].message


def test_a_snapshot_follows_the_slices(project):
    kept = project.query("select id, dbt_valid_to is null from analytics.kept order by id")
    assert kept == [(1, False), (2, True), (3, True)]


def test_a_snapshot_of_a_slice_that_is_not_there_closes_no_row(project):
    result = project.dbt.run(["snapshot", "--select", "kept"], "2013-01-03")[-1]
    assert result.status == "error"
    assert "analytics.daily 2013-01-03, which is not published" in result.message
    assert "no ds: say which slice" in project.dbt.run(["snapshot", "--select", "kept"])[-1].message
    assert project.query("select count(*) from analytics.kept where dbt_valid_to is null") == [(2,)]


def test_in_an_operation_ref_is_the_whole_table_and_a_ds_is_demanded(project, monkeypatch):
    def operate(name):
        (result,) = project.dbt._invoke(["run-operation", name]).result.results  # it has no node, unlike all others
        return result.status, result.message or ""

    assert operate("counted")[0] == "success"
    assert "no ds: say which slice" in operate("of_a_ds")[1]
    assert "slice() belongs in a model" in operate("of_a_slice")[1]
    monkeypatch.setenv("DAYSLICE_DS", DAYS[0])
    assert operate("of_a_ds")[0] == "success"


def test_dbt_lists_tables_of_slices_as_incremental(project):
    listed = project.dbt.ls(
        ["ls", "--output", "json", "--output-keys", "unique_id", "--select", "config.materialized:incremental"]
    )
    assert "model.dayslice.daily" in listed
    assert "model.dayslice.in_table" not in listed


@pytest.mark.parametrize("option", [["--empty"], ["--sample", "1 day"]])
def test_an_empty_or_sampled_run_replaces_nothing(project, option):
    before = project.published("daily")
    with pytest.raises(DaysliceError, match=f"{option[0]} would publish"):
        project.build(DAYS[1], "daily", options=option)
    assert project.published("daily") == before
    assert rows(project, "daily") == [(1, DAYS[0]), (2, DAYS[1]), (3, DAYS[1])]


def test_a_clone_of_a_table_of_slices_is_refused(project):
    project.dbt.run(["compile", "--target-path", str(project.root / "state")], DAYS[1])
    results = project.dbt.run(["clone", "--select", "daily", "--state", str(project.root / "state")])
    assert "--defer" in results[-1].message
    assert results[-1].status == "error"


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # the runner's plan is the same on every engine
def test_the_runner_makes_what_stands_between_anew_for_each_ds(project):
    loaded = load_project(project.root)
    plan = make_plan([loaded.find("of_table"), loaded.find("of_append")], *DAYS, {}, force=True)
    outcomes = run_plan(loaded, plan, lambda outcome: None)
    assert [outcome.status for outcome in outcomes] == ["published"] * 4
    assert rows(project, "of_append") == [(3, 3, DAYS[0]), (4, 3, DAYS[1])], "appended to once a ds"


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # parsing is the same on every engine
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ config(materialized='view') }} select '{{ ds() }}' as day", "ds() cannot stand in a view"),
        ("{{ config(materialized='table') }} select * from {{ slice('daily') }}", "slice() cannot stand in a table"),
        ("{{ config(materialized='view') }} select * from {{ ref('day') }}", "ds(), which wrong reads, cannot stand"),
        ("{{ config(incremental_predicates=['x > 1']) }} select 1 as x", "incremental_predicates cannot be followed"),
        ("{{ config(grants={'select': ['all']}) }} select 1 as x", "grants cannot be followed: files have no grants"),
        ("select * from {{ slice(daily, -1) }}", "models/wrong.sql: the table that slice() names is no text"),
    ],
)
def test_what_cannot_be_meant_is_refused_while_parsing(project, text, said):
    wrong = project.root / "models/wrong.sql"
    wrong.write_text(text)
    try:
        with pytest.raises(UsageError) as refused:
            load_project(project.root)
        assert said in str(refused.value)
        assert "models/wrong.sql" in str(refused.value) or "models/day.sql" in str(refused.value)
    finally:
        wrong.unlink()


def test_a_table_of_slices_does_not_become_something_else(project):
    before = project.published("again")
    text = (project.root / "models/again.sql").read_text()
    project.write({"models/again.sql": "{{ config(materialized='view') }} select 1 as again"})
    try:
        with pytest.raises(DaysliceError, match=r"2 slices, and models/again[.]sql is a view now"):
            project.build(DAYS[1], "again")
        assert project.published("again") == before
    finally:
        project.write({"models/again.sql": text})
