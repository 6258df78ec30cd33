"""Hourly and 15-minute tables: self-dependencies and ranges that cross midnight, and grains that read each other."""

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables:
      - {name: beats, config: {meta: {grain: 15min}}}
models:
  - {name: quarterly, config: {meta: {slice: events, grain: 15min}}}
  - {name: last_three, config: {meta: {slice: events, grain: 15min}}}
  - {name: hourly, config: {meta: {slice: events, grain: hour}}}
  - name: running
    config: {meta: {grain: hour}}
    columns:
      - {name: hours, data_type: bigint}
      - {name: total, data_type: bigint}
"""
QUARTERS = ["2013-01-01T2300", "2013-01-01T2315", "2013-01-01T2330", "2013-01-01T2345"]
QUARTERS += ["2013-01-02T0000", "2013-01-02T0015", "2013-01-02T0030", "2013-01-02T0045"]
HOURS = ["2013-01-01T23", "2013-01-02T00"]


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied):
    project = emptied(
        make_project(
            {
                "models/models.yml": YAML,
                "models/quarterly.sql": "select id from {{ slice('erp', 'beats') }}",
                "models/quarterly_latest.sql": "{{ latest('quarterly') }}",
                "models/last_three.sql": "select sum(id) as total, '{{ ds(-1) }}' as before "
                "from {{ slice('quarterly', range=3) }}",
                "models/hourly.sql": "select sum(id) as total from {{ slice('quarterly') }}",
                "models/running.sql": "select cast(1 + coalesce(max(b.hours), 0) as bigint) as hours, "
                "cast(max(h.total) + coalesce(max(b.total), 0) as bigint) as total "
                "from {{ slice('hourly') }} as h left join {{ slice(this, -1) }} as b on true",
            }
        )
    )
    for number, ds in enumerate(QUARTERS):
        project.land("beats", ds, f"select {10**number} as id", "id int")
    return project


def test_a_15_minute_table_reads_a_range_across_midnight(project):
    more = {QUARTERS[number]: ["last_three"] for number in (0, 4, 5)} | {QUARTERS[-1]: ["quarterly_latest"]}
    for ds in QUARTERS:
        built = project.build(ds, "quarterly", *more.get(ds, []))
        assert {each.status for each in built.values()} == {"success"}, built
    assert project.query("select ds, total, before from analytics.last_three order by ds") == [
        (QUARTERS[0], 1, "2013-01-01T2245"),
        ("2013-01-02T0000", 10**4 + 10**3 + 10**2, "2013-01-01T2345"),
        ("2013-01-02T0015", 10**5 + 10**4 + 10**3, "2013-01-02T0000"),
    ]
    assert project.query("select distinct ds from analytics.quarterly_latest") == [(QUARTERS[-1],)]


def test_an_hour_reads_its_four_quarters_and_its_own_hour_before(project):
    refused = project.build("2013-01-02T01", "hourly")["hourly"]
    assert "waits for 4 slices" in refused.message
    assert "analytics.quarterly 2013-01-02T0145" in refused.message
    for ds in HOURS:
        built = project.build(ds, "hourly", "running")
        assert {each.status for each in built.values()} == {"success"}, built
    assert project.query("select ds, hours, total from analytics.running order by ds") == [
        (HOURS[0], 1, 1111),
        (HOURS[1], 2, 11111111),
    ]


def test_a_ds_of_another_grain_is_refused(project):
    refused = project.build("2013-01-02T00", "quarterly")
    assert "grain 15min" in refused["quarterly"].message
