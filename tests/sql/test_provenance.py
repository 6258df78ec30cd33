"""A receipt says what a version was computed from, by which logic, and what is in it; what was read is recorded."""

import pytest

from dayslice.metastore import lineage
from dayslice.rules.receipts import fingerprint_of, first_published, inputs_of
from dayslice.rules.slices import Table
from tests.receivers import ended_runs
from tests.sql.project_files import TOTAL

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - name: plain
    config: {meta: {slice: events}}
    columns: [{name: id, data_tests: [not_null]}]
  - name: week
    config: {meta: {slice: events}}
  - name: total
    config: {meta: {slice: cumulative}}
    columns: [{name: n, data_type: bigint}]
  - name: seeded
    config: {meta: {slice: events}}
"""
ORDERS = "id int, kind varchar"


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project(
        {
            "models/models.yml": YAML,
            "seeds/kinds.csv": "kind\na\n",
            "macros/kept.sql": "{% macro kept() %}kind <> '{{ var('left_out', 'q') }}'{% endmacro %}",
            "models/plain.sql": "select id, kind from {{ source('erp', 'orders') }} where {{ kept() }}",
            "models/plain_latest.sql": "{{ latest('plain') }}",
            "models/week.sql": "select id from {{ slice('erp', 'orders', range=7) }}",
            "models/total.sql": TOTAL,
            "models/seeded.sql": "select id from {{ ref('plain') }} join {{ ref('kinds') }} using (kind)",
        }
    )


@pytest.fixture
def project(parsed, emptied):
    return emptied(parsed)


def land(project, ds, values):
    project.land("orders", ds, f"select * from (values {values}) as t(id, kind)", ORDERS)


def receipt(project, table, ds):
    return project.published(table)[ds].receipt


def test_a_receipt_names_each_slice_that_was_read_with_its_version(project):
    days = [f"2013-01-0{day}" for day in range(1, 4)]
    for ds in days:
        land(project, ds, "(1, 'a')")
        assert project.build(ds, "plain", "week", "total")["total"].status == "success"
    orders = project.published("orders", "erp")
    read = {ds: version.id for ds, version in orders.items()}

    def inputs(table):
        return {(str(s.table), s.ds): each.version for s, each in inputs_of(receipt(project, table, days[2])).items()}

    assert inputs("plain") == {("erp.orders", days[2]): read[days[2]]}
    assert inputs("week") == {("erp.orders", ds): read[ds] for ds in days}
    before = project.published("total")[days[1]].id
    assert inputs("total") == {("erp.orders", days[2]): read[days[2]], ("analytics.total", days[1]): before}


def test_openlineage_is_told_by_each_engine(project, receiver, engine):
    land(project, "2013-01-01", "(1, 'a'), (2, 'b')")
    project.build("2013-01-01", "plain")
    lineage.finish()
    told = ended_runs(receiver.heard)["analytics.plain"]
    [written], [read] = told["outputs"], told["inputs"]
    version = project.published("plain")["2013-01-01"]
    is_local = engine == "local"
    place = f"duckdb://{project.home}/dayslice.duckdb" if is_local else f"trino://127.0.0.1:{project.stack.ports.trino}"
    assert written["namespace"] == read["namespace"] == place
    assert written["name"].endswith(".analytics.plain")
    assert [each["name"] for each in written["facets"]["schema"]["fields"]] == ["id", "kind", "ds"]
    assert all(each["type"] for each in written["facets"]["schema"]["fields"])
    assert written["facets"]["version"]["datasetVersion"] == version.id
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert read["facets"]["version"]["datasetVersion"] == project.published("orders", "erp")["2013-01-01"].id


def test_a_receipt_keeps_when_the_slice_was_first_published(project):
    land(project, "2013-01-01", "(1, 'a')")
    project.build("2013-01-01", "plain")
    first = receipt(project, "plain", "2013-01-01")
    assert first_published(first) == first.finished
    project.build("2013-01-01", "plain")
    second = receipt(project, "plain", "2013-01-01")
    assert second.finished > first.finished
    assert first_published(second) == first.finished


def test_a_fingerprint_is_of_the_rows_whatever_their_order(project):
    found = []
    for values in ("(1, 'a'), (2, 'b')", "(2, 'b'), (1, 'a')", "(1, 'b'), (2, 'a')", "(1, 'a'), (2, 'b'), (2, 'b')"):
        land(project, "2013-01-01", values)
        project.build("2013-01-01", "plain")
        found.append(fingerprint_of(receipt(project, "plain", "2013-01-01")))
    same, turned, swapped, doubled = found
    assert same == turned
    assert list(same.columns) == ["id", "kind"]
    assert same.changed_columns(turned) == []
    assert same.changed_columns(swapped) == [], "each column has the values that it had"
    assert same.digest != swapped.digest, "and yet they are other rows"
    assert same.changed_columns(doubled) == ["id", "kind"]


def test_logic_is_what_decides_the_sql_without_the_ds(project):
    def logic(*select, ds="2013-01-01"):
        land(project, ds, "(1, 'a')")
        assert project.build(ds, *select)[select[-1]].status == "success"
        more = receipt(project, select[-1], ds).more
        return more["logic"], more["audit_logic"]

    before = logic("plain")
    assert logic("plain", ds="2013-01-02") == before
    seeded = logic("kinds", "seeded")
    project.write({"macros/kept.sql": "{% macro kept() %}kind <> '{{ var('left_out', 'r') }}'{% endmacro %}"})
    by_macro = logic("plain")
    assert by_macro[0] != before[0]
    assert by_macro[1] == before[1]
    assert logic("seeded") == seeded, "it reads the other table's rows, not its logic"
    project.write({"seeds/kinds.csv": "kind\na\nb\n"})
    assert logic("kinds", "seeded")[0] != seeded[0]
    project.write({"models/models.yml": YAML.replace("[not_null]", "[not_null, unique]")})
    by_audit = logic("plain")
    assert by_audit[0] == by_macro[0]
    assert by_audit[1] != by_macro[1]


def test_an_input_that_is_replaced_while_it_is_read_is_read_again(project, monkeypatch):
    land(project, "2013-01-01", "(1, 'a')")
    replaced = [0]
    times = [1]

    def replacing(self, graph, model, ds):
        begun = original(self, graph, model, ds)
        if replaced[0] < times[0]:
            replaced[0] += 1
            land(project, "2013-01-01", f"({10 + replaced[0]}, 'a')")
        return begun

    from dbt.adapters.dayslice.adapter import SliceAdapter  # noqa: PLC0415

    original = SliceAdapter.check_run
    monkeypatch.setattr(SliceAdapter, "check_run", replacing)
    built = project.build("2013-01-01", "plain")["plain"]
    assert built.status == "success", built.message
    assert project.query("select id from analytics.plain") == [(11,)]
    (read,) = inputs_of(receipt(project, "plain", "2013-01-01")).values()
    assert read.version == project.published("orders", "erp")["2013-01-01"].id
    assert project.staged() == []

    replaced[0], times[0] = 0, 99
    before = project.published("plain")
    built = project.build("2013-01-01", "plain")["plain"]
    assert built.status == "error"
    assert "erp.orders 2013-01-01 was replaced while it was read" in built.message
    assert replaced[0] == 3
    assert project.published("plain") == before


def test_a_receipt_of_before_says_nothing(project):
    land(project, "2013-01-01", "(1, 'a')")
    before = project.published("orders", "erp")["2013-01-01"].receipt  # as tests lay it: no importer wrote it
    assert inputs_of(before) is None
    assert fingerprint_of(before) is None
    project.build("2013-01-01", "plain")
    (read,) = inputs_of(receipt(project, "plain", "2013-01-01")).values()
    assert read.digest == "", "nothing is known of its content"


def test_a_slice_is_not_replaced_where_that_loses_what_an_input_gave(project, monkeypatch):
    days = [f"2013-01-0{day}" for day in range(1, 4)]
    for ds in days:
        land(project, ds, "(1, 'a')")
        assert project.build(ds, "week", "total", "plain")["total"].status == "success"
    before = project.published("week"), project.published("total"), project.published("plain")
    unpublish(project, Table("erp", "orders"), days[0])
    unpublish(project, Table("analytics", "total"), days[0])
    project.land("orders", days[1], None, ORDERS)
    assert project.build(days[2], "week")["week"].status == "error"
    built = project.build(days[1], "week", "total", "plain")
    assert f"erp.orders {days[0]}, which had 1 rows, is not there any more" in built["week"].message
    assert f"analytics.total {days[0]}, which had 1 rows, is not there any more" in built["total"].message
    assert f"erp.orders {days[1]} is empty, and had 1 rows" in built["plain"].message
    assert "--accept 'REASON'" in built["plain"].message
    assert project.published("week") == before[0]
    monkeypatch.setenv("DAYSLICE_ACCEPT", "orders of the first day were doubled")
    assert project.build(days[1], "plain")["plain"].status == "success"
    assert receipt(project, "plain", days[1]).more["accepted"] == "orders of the first day were doubled"
    monkeypatch.delenv("DAYSLICE_ACCEPT")
    assert project.build(days[1], "plain")["plain"].status == "success", "it loses nothing any more"
    assert "accepted" not in receipt(project, "plain", days[1]).more


def unpublish(project, table, ds):
    with project.metastore() as metastore:
        metastore.unpublish(metastore.published(table, [ds])[ds])
