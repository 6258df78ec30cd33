"""`asof()` and `history()`: what was true at a date, with real values, on both engines."""

import pytest

SOURCES = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: cumulative}}
    tables:
      - name: customers
        columns:
          - {name: id, data_type: int}
          - {name: city, data_type: varchar}
          - {name: seen, data_type: int}
      - name: orders
        config: {meta: {slice: events}}
      - name: stock
        config: {meta: {grain: hour}}
models:
  - {name: with_city}
  - {name: a_week_before}
  - {name: of_new_year}
  - {name: stock_of_the_day}
  - {name: customer_history}
  - {name: made_date}
unit_tests:
  - name: of_given_slices
    model: a_week_before
    overrides: {vars: {ds: 2013-01-20}}
    given:
      - input: source('erp', 'customers')
        rows:
          - {id: 1, city: Ulm, seen: 0, ds: 2013-01-12}
          - {id: 1, city: Bonn, seen: 0, ds: 2013-01-10}
          - {id: 1, city: Kiel, seen: 0, ds: 2013-01-14}
    expect: {rows: [{id: 1, city: Ulm}]}
  - name: of_rows_without_a_ds
    model: a_week_before
    given:
      - input: source('erp', 'customers')
        rows: [{id: 1, city: Ulm, seen: 0}]
    expect: {rows: [{id: 1, city: Ulm}]}
  - name: a_key_that_moves_one_that_goes_and_one_that_comes
    model: customer_history
    overrides: {vars: {ds: 2013-01-03}}
    given:
      - input: source('erp', 'customers')
        rows:
          - {id: 1, city: Ulm, seen: 3}
          - {id: 2, city: Bonn, seen: 3}
          - {id: 4, city: null, seen: 3}
      - input: this
        rows:
          - {id: 1, city: Kiel, valid_from: 2013-01-01, valid_to: null}
          - {id: 2, city: Bonn, valid_from: 2013-01-02, valid_to: null}
          - {id: 3, city: Hof, valid_from: 2013-01-01, valid_to: null}
    expect:
      rows:
        - {id: 1, city: Kiel, valid_from: 2013-01-01, valid_to: 2013-01-03}
        - {id: 1, city: Ulm, valid_from: 2013-01-03, valid_to: null}
        - {id: 2, city: Bonn, valid_from: 2013-01-02, valid_to: null}
        - {id: 3, city: Hof, valid_from: 2013-01-01, valid_to: 2013-01-03}
        - {id: 4, city: null, valid_from: 2013-01-03, valid_to: null}
"""
HISTORY_COLUMNS = """
  - name: customer_history
    columns:
      - {name: id, data_type: int}
      - {name: city, data_type: varchar}
      - {name: valid_from, data_type: varchar}
      - {name: valid_to, data_type: varchar}
"""
HISTORY = "{{ history('erp', 'customers', key='id', without=['seen']) }}"


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def parsed(make_project):
    return make_project(
        {
            "models/erp.yml": SOURCES.replace("\n  - {name: customer_history}", HISTORY_COLUMNS.rstrip()),
            "models/with_city.sql": "select o.id, c.city from {{ source('erp', 'orders') }} as o "
            "join {{ asof('erp', 'customers', ds()) }} as c on c.id = o.id",
            "models/a_week_before.sql": "select id, city from {{ asof('erp', 'customers', ds(-7)) }} as c",
            "models/of_new_year.sql": "select id, city from {{ asof('erp', 'customers', '2013-01-01') }} as c",
            "models/stock_of_the_day.sql": "select id from {{ asof('erp', 'stock', ds()) }} as s",
            "models/made_date.sql": "select id from {{ asof('erp', 'customers', ds(-2).replace('-2', '-3')) }} as c",
            "models/customer_history.sql": HISTORY,
        }
    )


@pytest.fixture
def project(parsed, emptied):
    return emptied(parsed)


def customers(project, ds, *rows, seen=0):
    values = ", ".join(f"({id}, {'null' if city is None else repr(city)}, {seen})" for id, city in rows)
    project.land("customers", ds, f"values {values}" if rows else None, "id int, city varchar, seen int")


def test_as_of_a_date_is_the_newest_slice_at_or_before_it(project):
    customers(project, "2013-01-02", (1, "Ulm"))
    customers(project, "2013-01-05", (1, "Kiel"))
    for day in ("2013-01-01", "2013-01-04", "2013-01-05", "2013-01-12"):
        project.land("orders", day, "select 1 as id", "id int")
    built = project.build("2013-01-01", "with_city")["with_city"]
    assert built.status == "error"
    assert "erp.customers 2013-01-01" in built.message, "there is no slice at or before"
    for day in ("2013-01-04", "2013-01-05", "2013-01-12"):
        assert project.build(day, "with_city", "a_week_before")["with_city"].status == "success"
    assert project.query("select ds, city from analytics.with_city order by ds") == [
        ("2013-01-04", "Ulm"),
        ("2013-01-05", "Kiel"),
        ("2013-01-12", "Kiel"),
    ]
    assert project.query("select ds, city from analytics.a_week_before") == [("2013-01-12", "Kiel")]
    assert project.build("2013-01-12", "of_new_year")["of_new_year"].status == "error"
    customers(project, "2012-12-30", (1, "Hof"))
    assert project.build("2013-01-12", "of_new_year")["of_new_year"].status == "success"
    assert project.query("select city from analytics.of_new_year") == [("Hof",)]


def test_a_day_holds_the_hours_of_what_is_read_as_of_it(project):
    for hour, id in (("2013-01-01T05", 5), ("2013-01-01T22", 22), ("2013-01-02T01", 1)):
        project.land("stock", hour, f"select {id} as id", "id int")
    assert project.build("2013-01-01", "stock_of_the_day")["stock_of_the_day"].status == "success"
    assert project.query("select id from analytics.stock_of_the_day") == [(22,)]


HISTORY_AT_THE_END = [
    (1, "Ulm", "2013-01-01", "2013-01-05"),
    (1, "Kiel", "2013-01-05", None),
    (2, "Bonn", "2013-01-01", "2013-01-02"),
    (2, "Bonn", "2013-01-05", None),
    (3, None, "2013-01-02", "2013-01-05"),
    (3, "Hof", "2013-01-05", None),
]


def history_of(project, ds):
    return project.query(
        "select id, city, valid_from, valid_to from analytics.customer_history "
        f"where ds = '{ds}' order by id, valid_from"
    )


def test_a_history_has_each_change_once_over_gaps_and_keys_that_come_again(project):
    customers(project, "2013-01-01", (1, "Ulm"), (2, "Bonn"))
    customers(project, "2013-01-02", (1, "Ulm"), (3, None), seen=7)
    customers(project, "2013-01-05", (1, "Kiel"), (2, "Bonn"), (3, "Hof"))
    for day in ("2013-01-01", "2013-01-02", "2013-01-05"):
        assert project.build(day, "customer_history")["customer_history"].status == "success"
    assert history_of(project, "2013-01-01") == [(1, "Ulm", "2013-01-01", None), (2, "Bonn", "2013-01-01", None)]
    assert history_of(project, "2013-01-05") == HISTORY_AT_THE_END
    assert "customers 2013-01-03" in project.build("2013-01-03", "customer_history")["customer_history"].message


def test_no_slice_of_a_history_is_made_before_that_of_each_earlier_snapshot(project):
    customers(project, "2013-01-01", (1, "Ulm"))
    customers(project, "2013-01-02", (1, "Kiel"))
    customers(project, "2013-01-03", (1, "Kiel"))
    project.build("2013-01-01", "customer_history")
    refused = project.build("2013-01-03", "customer_history")["customer_history"]
    assert refused.status == "error"
    assert "analytics.customer_history 2013-01-02" in refused.message
    project.build("2013-01-02", "customer_history")
    assert project.build("2013-01-03", "customer_history")["customer_history"].status == "success"
    assert history_of(project, "2013-01-03") == [
        (1, "Ulm", "2013-01-01", "2013-01-02"),
        (1, "Kiel", "2013-01-02", None),
    ]


def test_a_history_refuses_a_key_that_is_none(project):
    customers(project, "2013-01-01", (1, "Ulm"), (1, "Kiel"))
    refused = project.build("2013-01-01", "customer_history")["customer_history"]
    assert "1 values of id that are null or in several rows" in refused.message
    assert project.published("customer_history") == {}


def test_unit_tests_give_slices_snapshots_and_the_history_so_far(project):
    results = project.dbt.run(["test", "--select", "test_type:unit"], "2013-01-20")
    assert [each.status for each in results if each.unique_id.startswith("unit_test.")] == ["pass"] * 3


def test_a_date_that_is_made_from_the_ds_is_refused(project):
    customers(project, "2012-12-01", (1, "Ulm"))
    refused = project.build("2013-01-20", "made_date")["made_date"]
    assert "only a ds in quotes and ds(-7) are known before a run" in refused.message
