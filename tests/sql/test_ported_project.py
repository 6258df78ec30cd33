"""A dbt project that knew nothing of slices, ported by its dbt_project.yml alone: no model and no test is edited."""

import pytest

from dayslice.runner.project import load_project

DAYS = ("2018-01-01", "2018-01-02")
PROJECT = """
name: jaffle_shop
version: 1.0.0
profile: dayslice
model-paths: [models]
seed-paths: [seeds]
test-paths: [tests]
macro-paths: [macros]
seeds:
  jaffle_shop:
    +schema: raw
models:
  jaffle_shop:
    staging:
      +materialized: view
    marts:
      +materialized: incremental
      +incremental_strategy: slice
      +on_schema_change: append_new_columns
flags: {send_anonymous_usage_stats: false}
"""
# As dbt-labs/jaffle-shop and its classic write them.
FILES = {
    "dbt_project.yml": PROJECT,
    "seeds/raw_customers.csv": "id,first_name,last_name\n1,Michael,P.\n2,Shawn,M.\n3,Kathleen,P.\n",
    "seeds/raw_orders.csv": "id,user_id,order_date,status\n1,1,2018-01-01,returned\n2,3,2018-01-01,completed\n",
    "seeds/raw_payments.csv": "id,order_id,payment_method,amount\n"
    "1,1,credit_card,1000\n2,2,coupon,300\n3,2,credit_card,700\n",
    "models/staging/sources.yml": """
sources:
  - name: ecom
    schema: "{{ target.schema }}_raw"
    tables: [{name: raw_customers}, {name: raw_orders}, {name: raw_payments}]
""",
    "models/staging/stg_customers.sql": """
with source as (
    select * from {{ source('ecom', 'raw_customers') }}
),
renamed as (
    select id as customer_id, first_name, last_name from source
)
select * from renamed
""",
    "models/staging/stg_orders.sql": """
with source as (
    select * from {{ source('ecom', 'raw_orders') }}
)
select id as order_id, user_id as customer_id, order_date, status from source
""",
    "models/staging/stg_payments.sql": """
with source as (
    select * from {{ source('ecom', 'raw_payments') }}
)
select id as payment_id, order_id, payment_method, {{ dollars('amount') }} as amount from source
""",
    "macros/dollars.sql": "{% macro dollars(column) %}cast({{ column }} as double) / 100{% endmacro %}",
    "models/marts/orders.sql": """
{% set payment_methods = ['credit_card', 'coupon'] %}
with orders as (
    select * from {{ ref('stg_orders') }}
),
order_payments as (
    select
        order_id,
        {% for payment_method in payment_methods -%}
        sum(case when payment_method = '{{ payment_method }}' then amount else 0 end) as {{ payment_method }}_amount,
        {% endfor -%}
        sum(amount) as total_amount
    from {{ ref('stg_payments') }}
    group by order_id
)
select
    orders.order_id,
    orders.customer_id,
    orders.order_date,
    orders.status,
    {% for payment_method in payment_methods -%}
    order_payments.{{ payment_method }}_amount,
    {% endfor -%}
    order_payments.total_amount as amount
from orders
left join order_payments on orders.order_id = order_payments.order_id
""",
    "models/marts/customers.sql": """
with customer_orders as (
    select
        customer_id,
        min(order_date) as first_order,
        count(order_id) as number_of_orders,
        sum(amount) as lifetime_value
    from {{ ref('orders') }}
    group by customer_id
)
select
    customers.customer_id,
    customers.first_name,
    customers.last_name,
    customer_orders.first_order,
    customer_orders.number_of_orders,
    customer_orders.lifetime_value
from {{ ref('stg_customers') }} as customers
left join customer_orders on customers.customer_id = customer_orders.customer_id
""",
    "models/marts/marts.yml": """
models:
  - name: customers
    description: One row per customer.
    columns:
      - name: customer_id
        data_tests: [unique, not_null]
  - name: orders
    config: {tags: [finance], meta: {cosmos: {operator_kwargs: {}}, lightdash: {joins: []}}}
    columns:
      - name: order_id
        data_tests: [unique, not_null]
      - name: customer_id
        data_tests:
          - not_null
          - relationships: {arguments: {to: ref('stg_customers'), field: customer_id}}
      - name: status
        data_tests:
          - accepted_values: {arguments: {values: "{{ var('statuses', ['placed', 'completed', 'returned']) }}"}}
""",
    "tests/amounts_are_positive.sql": "select * from {{ ref('orders') }} where amount < 0",
}


@pytest.fixture(scope="module", params=["local", pytest.param("trino", marks=pytest.mark.trino)])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def project(make_project, emptied):
    return emptied(make_project(FILES))


def test_it_is_built_a_slice_a_day_with_its_own_tests_as_audits(project):
    for ds in DAYS:
        project.dbt.run(["seed"])
        built = project.build(ds, options=["--exclude-resource-type", "seed"])
        assert {each.status for each in built.values()} <= {"success", "pass"}, built
        assert built["relationships_orders_customer_id__customer_id__ref_stg_customers_"].status == "pass"
        orders = project.root / "seeds/raw_orders.csv"
        project.write({"seeds/raw_orders.csv": orders.read_text() + "3,2,2018-01-02,placed\n"})
    assert project.query("select ds, count(*) from analytics.orders group by ds order by ds") == [
        (DAYS[0], 2),
        (DAYS[1], 3),
    ]
    assert project.query(
        "select ds, customer_id, number_of_orders, lifetime_value from analytics.customers "
        "where number_of_orders > 0 order by ds, customer_id"
    ) == [
        (DAYS[0], 1, 1, 10.0),
        (DAYS[0], 3, 1, 10.0),
        (DAYS[1], 1, 1, 10.0),
        (DAYS[1], 2, 1, None),
        (DAYS[1], 3, 1, 10.0),
    ], "each slice of customers stands on the slice of orders of its own ds"
    receipt = project.published("orders")[DAYS[1]].receipt
    assert receipt.more["audits"] == "4 passed, 0 warned"


def test_a_status_that_its_own_test_forbids_is_not_published(project):
    before = project.published("orders")
    orders = (project.root / "seeds/raw_orders.csv").read_text()
    project.write({"seeds/raw_orders.csv": orders.replace("placed", "lost")})
    project.dbt.run(["seed"])
    built = project.build(DAYS[1], options=["--exclude-resource-type", "seed"])
    assert "accepted_values_orders_status__" in built["orders"].message
    assert built["customers"].status == "skipped"
    assert project.published("orders") == before


@pytest.mark.parametrize("engine", ["local"], indirect=True)  # waits are the same on every engine
def test_its_waits_are_those_of_its_refs(project):
    tables = load_project(project.root).tables.values()
    assert {node.name: [wait.upstream for wait in node.waits] for node in tables} == {
        "orders": [],
        "customers": ["model.jaffle_shop.orders"],
    }
