"""Stage, audit, publish: what is refused leaves the published slice as it was."""

import pytest

from dayslice.errors import DaysliceError

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: audited
    config: {meta: {slice: events}}
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: kind
        data_tests:
          - accepted_values: {arguments: {values: [a, b]}, config: {severity: warn}}
          - relationships: {arguments: {to: ref('kinds'), field: kind}, config: {where: "kind <> 'x'"}}
  - name: snapshot
    config: {meta: {slice: cumulative, max_shrink: 0.5}}
  - name: contracted
    config: {meta: {slice: events}, contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: not_null}, {type: unique}]}
      - {name: kind, data_type: varchar, constraints: [{type: check, expression: "kind <> 'z'"}]}
  - name: parents
    config: {meta: {slice: events}}
  - name: children
    config: {meta: {slice: events}}
    columns:
      - name: id
        data_tests:
          - relationships: {arguments: {to: ref('parents'), field: id}}
  - name: with_ds
    config: {meta: {slice: events}}
  - name: evolving
    config: {meta: {slice: events}}
"""
ORDERS = "id int, kind varchar"


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    columns = "select id, kind from {{ slice('erp', 'orders') }}"
    return make_project(
        {
            "models/models.yml": YAML,
            "seeds/kinds.csv": "kind\na\nb\nc\n",
            "models/audited.sql": columns + " where kind not in (select kind from {{ ref('kinds') }} where kind = 'd')",
            "models/audited_latest.sql": "{{ latest('audited') }}",
            "models/after.sql": "select count(*) as n from {{ slice('audited') }}",
            "models/snapshot.sql": columns,
            "models/contracted.sql": columns,
            "models/parents.sql": columns,
            "models/children.sql": columns,
            "models/with_ds.sql": "select ds, id from {{ all_slices('erp', 'orders') }}",
            "models/evolving.sql": columns,
        }
    )


@pytest.fixture
def project(parsed, emptied):
    return emptied(parsed)


def land(project, ds, values):
    rows = f"select * from (values {values}) as t(id, kind)" if values else None
    project.land("orders", ds, rows, ORDERS)


def test_a_failed_audit_keeps_the_published_slice_and_says_what_failed(project):
    land(project, "2013-01-01", "(1, 'a'), (2, 'b')")
    assert project.build("2013-01-01", "+audited+")["audited"].status == "success"
    before = project.published("audited")
    land(project, "2013-01-01", "(1, 'a'), (1, 'b'), (null, 'c'), (4, 'q')")
    built = project.build("2013-01-01", "audited+")
    message = built["audited"].message
    assert built["audited"].status == "error"
    assert built["after"].status == "skipped"
    assert "unique_audited_id: 1 failing" in message
    assert "not_null_audited_id: 1 failing" in message
    assert "relationships_audited_kind" in message
    assert "accepted_values" not in message, "a warning is not what refused it"
    assert project.published("audited") == before
    assert project.query("select id, kind, ds from analytics.audited order by id") == [
        (1, "a", "2013-01-01"),
        (2, "b", "2013-01-01"),
    ]
    failing = message.split("not_null_audited_id: 1 failing; to see them:\n")[1].split("\n\n")[0]
    query = failing.split("relationships")[0].split("unique_audited")[0]
    assert project.query(query)[0][0] is None, "the query that it names shows the rows"


def test_a_rerun_cleans_up_after_a_refusal(project):
    land(project, "2013-01-01", "(1, 'a'), (1, 'b')")
    project.build("2013-01-01", "kinds", "audited")
    assert len(project.staged()) == 1
    land(project, "2013-01-01", "(1, 'a')")
    project.build("2013-01-01", "audited")
    assert project.staged() == []


def test_a_warning_publishes_and_is_recorded(project):
    land(project, "2013-01-01", "(1, 'c')")
    assert project.build("2013-01-01", "kinds", "audited")["audited"].status == "success"
    assert project.published("audited")["2013-01-01"].receipt.more["audits"] == "3 passed, 1 warned"
    (warning,) = project.dbt.warnings
    said, query = warning.split(" to see them:\n")
    assert said == "audited 2013-01-01, audit accepted_values_audited_kind__a__b: 1 failing;"
    assert project.query(query) == [("c", 1)]


def test_tests_after_publication_see_this_ds_only(project):
    land(project, "2013-01-01", "(1, 'a')")
    land(project, "2013-01-02", "(1, 'a')")
    for ds in ("2013-01-01", "2013-01-02"):
        built = project.build(ds, "kinds", "audited")
        assert built["unique_audited_id"].status == "pass", "the same id in two slices is no duplicate"


def test_a_relationship_after_publication_sees_this_ds_of_both_tables(project):
    land(project, "2013-01-01", "(1, 'a')")
    land(project, "2013-01-02", "(2, 'a')")
    project.build("2013-01-01", "parents", "children")
    land(project, "2013-01-02", "(1, 'a')")
    assert project.build("2013-01-02", "parents")["parents"].status == "success"
    land(project, "2013-01-02", "(2, 'a')")
    built = project.build("2013-01-02", "children")
    assert built["children"].status == "success", "it reads no parents, so this is no audit"
    assert built["relationships_children_id__id__ref_parents_"].status == "fail", "2 is not in this ds's parents"
    land(project, "2013-01-02", "(1, 'a')")
    assert project.build("2013-01-02", "children")["relationships_children_id__id__ref_parents_"].status == "pass"


def test_an_empty_slice_of_events_is_published_and_of_a_cumulative_table_refused(project):
    land(project, "2013-01-01", "")
    built = project.build("2013-01-01", "kinds", "audited", "snapshot")
    assert built["audited"].status == "success"
    assert project.published("audited")["2013-01-01"].receipt.rows == 0
    assert "empty" in built["snapshot"].message
    assert project.published("snapshot") == {}


def test_a_slice_that_shrinks_too_much_is_refused(project):
    land(project, "2013-01-01", "(1, 'a'), (2, 'a'), (3, 'a'), (4, 'a')")
    project.build("2013-01-01", "snapshot")
    land(project, "2013-01-02", "(1, 'a')")
    message = project.build("2013-01-02", "snapshot")["snapshot"].message
    assert "1 rows, 3 fewer than 2013-01-01 (4)" in message
    land(project, "2013-01-02", "(1, 'a'), (2, 'a')")
    assert project.build("2013-01-02", "snapshot")["snapshot"].status == "success"


def test_a_contract_s_constraints_are_audits(project):
    land(project, "2013-01-01", "(1, 'a'), (1, 'z'), (null, 'a')")
    message = project.build("2013-01-01", "contracted")["contracted"].message
    for said in ("not_null id: 1", "unique id (unique): 1", "check kind: 1"):
        assert said in message


def test_rows_of_another_ds_are_refused(project):
    land(project, "2013-01-01", "(1, 'a')")
    land(project, "2013-01-02", "(1, 'a')")
    message = project.build("2013-01-02", "with_ds")["with_ds"].message
    assert "every row has ds 2013-01-02: 1 failing" in message


def test_latest_moves_forward_only(project):
    for ds in ("2013-01-02", "2013-01-01"):
        land(project, ds, "(1, 'a')")
        project.build(ds, "kinds", "audited", "audited_latest")
    assert project.query("select distinct ds from analytics.audited_latest") == [("2013-01-02",)]


def test_a_table_evolves_by_new_columns_and_keeps_removed_ones(project):
    land(project, "2013-01-01", "(1, 'a')")
    land(project, "2013-01-02", "(2, 'b')")
    land(project, "2013-01-03", "(3, 'c')")
    project.build("2013-01-01", "evolving")
    original = (project.root / "models/evolving.sql").read_text()
    try:
        project.write({"models/evolving.sql": "select id, id * 2 as twice from {{ slice('erp', 'orders') }}"})
        assert project.build("2013-01-02", "evolving")["evolving"].status == "success"
        assert project.query("select id, kind, twice, ds from analytics.evolving order by ds") == [
            (1, "a", None, "2013-01-01"),
            (2, None, 4, "2013-01-02"),
        ]
        project.write({"models/evolving.sql": "select cast(id as varchar) as id from {{ slice('erp', 'orders') }}"})
        message = project.build("2013-01-03", "evolving")["evolving"].message
        assert "id: integer in the table, varchar in the select" in message.lower()
        assert list(project.published("evolving")) == ["2013-01-01", "2013-01-02"]
    finally:
        project.write({"models/evolving.sql": original})


def test_full_refresh_drops_the_history_only_when_asked_twice(project):
    for ds in ("2013-01-01", "2013-01-02"):
        land(project, ds, "(1, 'a')")
        project.build(ds, "evolving")
    refused = project.build("2013-01-02", "evolving", options=["--full-refresh"])["evolving"]
    assert "ask twice" in refused.message
    assert len(project.published("evolving")) == 2
    asked = ["--full-refresh", "--vars", "{drop_history: evolving}"]
    assert project.build("2013-01-02", "evolving", options=asked)["evolving"].status == "success"
    assert list(project.published("evolving")) == ["2013-01-02"]
    assert project.query("select distinct ds from analytics.evolving") == [("2013-01-02",)]


@pytest.mark.parametrize("wrong", ["2013-02-30", "13-1-5", None])
def test_a_wrong_ds_or_none_is_one_clear_line(project, wrong):
    land(project, "2013-01-01", "(1, 'a')")
    with pytest.raises(DaysliceError) as refused:
        project.build(wrong, "evolving")
    assert ("is no ds" if wrong else "no ds: say which slice") in str(refused.value)
    assert "\n" not in str(refused.value)
    assert project.published("evolving") == {}
