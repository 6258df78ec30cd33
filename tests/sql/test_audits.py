"""An audit is the test itself, compiled by dbt: the same before publication, on the staged slice, and after it."""

import pytest

from dayslice.errors import DaysliceError, UsageError
from dayslice.runner.audits import check_audits
from dayslice.runner.project import load_project

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: parents, config: {meta: {slice: events}}}
  - name: audited
    config: {meta: {slice: events}}
    data_tests:
      - has_columns: {arguments: {names: [id, "{{ 'bo' ~ 'ss' }}", ds]}, config: {where: "id > 0"}}
      - holds: {name: in_a_text, arguments: {condition: "id in (select id from {{ ref('parents') }})"}}
    columns:
      - name: id
        data_tests:
          - at_least: {arguments: {lowest: "{{ var('lowest', 1) }}"}}
          - at_least: {name: by_a_macro, arguments: {lowest: "{{ lowest_of([5, 1]) }}"}}
          - accepted_values: {arguments: {values: ["{{ lowest_of([1]) }}", 2, 3], quote: false}}
          - relationships: {name: all_parents_ever, arguments: {to: ref('parents'), field: id},
              config: {meta: {slices: all}}}
      - name: boss
        data_tests:
          - relationships: {name: bosses_are_here, arguments: {to: ref('audited'), field: id}}
          - relationships: {name: bosses_are_parents, arguments: {to: ref('parents'), field: id}}
  - name: broken
    config: {meta: {slice: events}}
    data_tests:
      - holds: {name: works, arguments: {condition: id > 0}}
      - holds: {name: does_not_run, arguments: {condition: no_such_column > 0}}
"""
MACROS = """
{% macro lowest_of(numbers) %}{{ return(numbers | min) }}{% endmacro %}

{% test at_least(model, column_name, lowest) %}
select tested.* from {{ model }} as tested where tested.{{ column_name }} < {{ lowest }}
{% endtest %}

{% test holds(model, condition) %}
select * from {{ model }} where not ({{ condition }})
{% endtest %}

{% test has_columns(model, names) %}
{%- set found = adapter.get_columns_in_relation(model) | map(attribute='name') | map('lower') | list -%}
{%- if execute and (found | sort != names | sort or not model.identifier) -%}
select '{{ found | join(' ') }}' as columns
{%- else -%}
select * from {{ model }} where 1 = 0
{%- endif -%}
{% endtest %}
"""
ALL = {
    "has_columns_audited_id____bo_ss____ds",
    "in_a_text",
    "at_least_audited_id___var_lowest_1_",
    "by_a_macro",
    "bosses_are_here",
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    columns = "select id, boss from {{ source('erp', 'orders') }}"
    return make_project(
        {
            "models/models.yml": YAML,
            "macros/tests.sql": MACROS,
            "models/parents.sql": "select distinct boss as id from {{ source('erp', 'orders') }}",
            "models/audited.sql": columns + " where id in (select id from {{ ref('parents') }}) or true",
            "models/broken.sql": columns,
        }
    )


@pytest.fixture
def project(parsed, emptied):
    return emptied(parsed)


def land(project, ds, values):
    project.land("orders", ds, f"select * from (values {values}) as t(id, boss)", "id int, boss int")


def test_audits_pass_before_publication_and_as_tests_after_it(project):
    for ds, values in (("2013-01-01", "(1, 1)"), ("2013-01-02", "(2, 2), (3, 2), (2, 3)")):
        land(project, ds, values)
        built = project.build(ds, "parents", "audited")
        assert {each.status for each in built.values()} <= {"success", "pass"}, built
        tests = {name for name, each in built.items() if each.status == "pass"}
        assert {"in_a_text", "by_a_macro", "bosses_are_here", "bosses_are_parents", "all_parents_ever"} <= tests
        assert len(tests) == 8
    audits = project.published("audited")["2013-01-02"].receipt.more["audits"]
    assert audits == "7 passed, 0 warned", "one that reads every slice is no audit of one"


def test_each_kind_of_argument_is_rendered_and_fails_where_it_should(project):
    land(project, "2013-01-01", "(2, 2)")
    assert project.build("2013-01-01", "parents", "audited")["audited"].status == "success"
    before = project.published("audited")
    land(project, "2013-01-02", "(0, 2), (9, 7)")
    message = project.build("2013-01-02", "parents", "audited")["audited"].message
    for said in ("by_a_macro: 1 failing", "accepted_values_audited_id", "in_a_text: 2", "bosses_are_here: 2"):
        assert said in message
    assert "at_least_audited_id__" in message
    assert "bosses_are_parents: " not in message
    assert project.published("audited") == before, "and no orphan is published by a rebuild"


def test_another_table_is_read_of_this_ds_before_and_after(project):
    land(project, "2013-01-01", "(1, 1)")
    land(project, "2013-01-02", "(2, 2)")
    for ds in ("2013-01-01", "2013-01-02"):
        project.build(ds, "parents", "audited")
    land(project, "2013-01-02", "(1, 1)")
    message = project.build("2013-01-02", "audited")["audited"].message
    assert "bosses_are_parents: 1 failing" in message, "1 is a parent of the first only"
    land(project, "2013-01-02", "(5, 5)")
    project.build("2013-01-02", "parents")
    tested = project.dbt.run(["test", "--select", "bosses_are_parents"], "2013-01-02")[-1]
    assert tested.status == "fail"


def test_a_broken_audit_is_named(project):
    land(project, "2013-01-01", "(1, 1)")
    message = project.build("2013-01-01", "broken")["broken"].message
    assert "broken 2013-01-01: audit does_not_run cannot run; nothing was published" in message
    assert "no_such_column" in message
    assert project.published("broken") == {}


def test_a_test_that_is_not_there_is_refused_before_anything_runs(project):
    land(project, "2013-01-01", "(1, 1)")
    loaded = load_project(project.root, project.dbt.target)
    check_audits(loaded)
    wrong = "models: [{name: wrong, columns: [{name: id, data_tests: [nott_null]}]}]"
    project.write({"models/wrong.yml": wrong, "models/wrong.sql": "select 1 as id"})
    try:
        with pytest.raises(
            DaysliceError, match=r"models/wrong[.]yml: there is no test 'nott_null'.*do you mean not_null"
        ):
            project.build("2013-01-01", "audited")
        assert project.published("audited") == {}
        with pytest.raises(UsageError, match="there is no test 'nott_null'"):
            check_audits(load_project(project.root, project.dbt.target))
    finally:
        (project.root / "models/wrong.yml").unlink()
        (project.root / "models/wrong.sql").unlink()
        project.write({})
