"""A slice is never computed from nothing."""

import pytest

SOURCES = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - name: orders
      - name: visits
        config: {meta: {grain: hour}}
      - name: stock
        config: {meta: {slice: cumulative, grain: hour}}
models:
  - {name: daily, config: {meta: {slice: events}}}
  - {name: plain, config: {meta: {slice: events}}}
  - {name: week, config: {meta: {slice: events}}}
  - {name: yesterday, config: {meta: {slice: events}}}
  - {name: of_hours, config: {meta: {slice: events}}}
  - {name: stock_at_end, config: {meta: {slice: events}}}
  - {name: hourly, config: {meta: {slice: events, grain: hour}}}
  - {name: after_view, config: {meta: {slice: events}}}
  - {name: of_latest, config: {meta: {slice: events}}}
  - name: running
    columns:
      - {name: n, data_type: bigint}
"""


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project(
        {
            "models/erp.yml": SOURCES,
            "models/daily.sql": "select id from {{ slice('erp', 'orders') }}",
            "models/daily_latest.sql": "{{ latest('daily') }}",
            "models/plain.sql": "select id from {{ source('erp', 'orders') }} where ds = '{{ ds() }}'",
            "models/week.sql": "select count(*) as n from {{ slice('erp', 'orders', range=7) }}",
            "models/yesterday.sql": "select count(*) as n from {{ slice('erp', 'orders', -1) }}",
            "models/of_hours.sql": "select count(*) as n from {{ slice('erp', 'visits') }}",
            "models/stock_at_end.sql": "select id from {{ slice('erp', 'stock') }}",
            "models/hourly.sql": "select id from {{ slice('erp', 'visits') }}",
            "models/in_between.sql": "{{ config(materialized='view') }} "
            "select id, ds from {{ source('erp', 'orders') }}",
            "models/after_view.sql": "select id from {{ ref('in_between') }} where ds = '{{ ds() }}'",
            "models/of_latest.sql": "select id from {{ ref('daily_latest') }}",
            "models/running.sql": "select cast(count(*) as bigint) "
            "+ coalesce((select max(n) from {{ slice(this, -1) }}), 0) as n from {{ slice('erp', 'orders') }}",
        }
    )


@pytest.fixture
def project(parsed, emptied):
    return emptied(parsed)


def land(project, *days, table="orders", rows="select 1 as id"):
    for ds in days:
        project.land(table, ds, rows, "id int")


def test_a_missing_import_is_named_and_nothing_is_published(project):
    land(project, "2013-01-01")
    land(project, "2013-01-02T05", table="visits")
    built = project.build("2013-01-02", "daily", "plain", "yesterday")
    for name in ("daily", "plain"):
        assert built[name].status == "error"
        assert "erp.orders 2013-01-02" in built[name].message
    assert built["yesterday"].status == "success", "what does not depend on the missing slice is built"
    assert project.published("daily") == {}
    land(project, "2013-01-02")
    assert project.build("2013-01-02", "daily")["daily"].status == "success"
    assert list(project.published("daily")) == ["2013-01-02"]


def test_a_range_is_clipped_at_the_first_slice_but_no_gap_is_passed(project):
    land(project, "2013-01-01", "2013-01-02", "2013-01-03", "2013-01-05")
    assert project.build("2013-01-03", "week")["week"].status == "success"
    assert project.query("select n from analytics.week") == [(3,)]
    assert "erp.orders 2013-01-04" in project.build("2013-01-05", "week")["week"].message


def test_its_own_previous_slice_is_waited_for_except_at_the_first(project):
    land(project, "2013-01-01", "2013-01-02", "2013-01-03")
    assert project.build("2013-01-01", "running")["running"].status == "success"
    refused = project.build("2013-01-03", "running")["running"]
    assert refused.status == "error"
    assert "analytics.running 2013-01-02" in refused.message
    assert project.build("2013-01-02", "running")["running"].status == "success"
    assert project.build("2013-01-03", "running")["running"].status == "success"
    assert project.query("select ds, n from analytics.running order by ds") == [
        ("2013-01-01", 1),
        ("2013-01-02", 2),
        ("2013-01-03", 3),
    ]


def test_an_earlier_first_slice_may_be_computed_after_later_ones(project):
    land(project, "2013-01-01", "2013-01-02")
    project.build("2013-01-02", "running")
    assert project.build("2013-01-01", "running")["running"].status == "success"


def test_a_day_of_events_waits_for_all_its_hours_and_a_cumulative_one_for_the_last(project):
    hours = [f"2013-01-01T{hour:02d}" for hour in range(24)]
    land(project, *hours[:-1], table="visits")
    assert "erp.visits 2013-01-01T23" in project.build("2013-01-01", "of_hours")["of_hours"].message
    land(project, hours[-1], table="visits")
    assert project.build("2013-01-01", "of_hours")["of_hours"].status == "success"
    assert project.query("select n from analytics.of_hours") == [(24,)]
    land(project, hours[-1], table="stock", rows="select 7 as id")
    land(project, hours[3], table="stock", rows="select 3 as id")
    assert project.build("2013-01-01", "stock_at_end")["stock_at_end"].status == "success"
    assert project.query("select id from analytics.stock_at_end") == [(7,)]


def test_an_hourly_table_takes_an_hour_and_no_day(project):
    land(project, "2013-01-01T05", table="visits")
    assert "write it as 2018-03-01T13" in project.build("2013-01-01", "hourly")["hourly"].message
    assert project.build("2013-01-01T05", "hourly")["hourly"].status == "success"
    land(project, "2013-01-01")
    assert "grain day" in project.build("2013-01-01T05", "daily")["daily"].message


def test_a_period_that_is_not_over_is_refused_unless_it_is_asked_for(project, monkeypatch):
    land(project, "2099-01-01")
    refused = project.build("2099-01-01", "daily")["daily"]
    assert "daily 2099-01-01 is not over before 2099-01-02 00:00 (UTC)" in refused.message
    assert project.published("daily") == {}
    monkeypatch.setenv("DAYSLICE_OPEN_PERIOD", "1")
    assert project.build("2099-01-01", "daily")["daily"].status == "success"


def test_waits_reach_through_plain_views_but_not_through_latest(project):
    land(project, "2013-01-01")
    project.build("2013-01-01", "daily", "daily_latest", "in_between")
    assert "erp.orders 2013-01-02" in project.build("2013-01-02", "after_view")["after_view"].message
    assert project.build("2013-01-02", "of_latest")["of_latest"].status == "success"
