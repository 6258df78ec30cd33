"""A project with each shape of table that a DAG can have."""

ERP = """
sources:
  - name: erp
    config: {meta: {connection: erp, owner: data-platform}}
    tables:
      - {name: customers}
      - {name: orders, config: {meta: {slice: events, "on": ordered_at, late_after: 6h}}}
      - {name: clicks, config: {meta: {slice: events, "on": clicked_at, grain: hour, schedule: "7 * * * *"}}}
  - name: weather
    schema: erp
    tables:
      - name: stations
        config:
          loaded_at_query: "select cast(max(ds) as timestamp) from {{ this }}"
          freshness: {error_after: {count: 30, period: hour}}
"""
MODELS = """
models:
  - name: daily
    description: "Orders and clicks of a day."
    config: {tags: [finance], meta: {slice: events, owner: finance, schedule: "0 4 * * *", wait_at_most: 2 hours}}
    columns:
      - name: id
        data_tests: [unique, {relationships: {arguments: {to: ref('running'), field: n}, config: {severity: warn}}}]
  - name: running
    config: {meta: {start: 2013-01-05}}
    columns: [{name: n, data_type: bigint}]
  - name: week
    columns: [{name: n, data_type: bigint}]
  - {name: hourly, config: {meta: {slice: events, grain: hour}}}
  - {name: quarters, config: {meta: {slice: events, grain: 15min}}}
  - {name: wrong, config: {meta: {slice: events}}}
  - {name: stock, config: {meta: {owner: stores}}}
  - name: summary
    columns: [{name: n, data_tests: [not_null]}]
  - name: by_station
    columns: [{name: station}]
"""
FILES = {
    "models/erp.yml": ERP,
    "models/sales/sales.yml": MODELS,
    "models/sales/daily.sql": """
select o.id, c.clicks
from {{ slice('erp', 'orders') }} as o
cross join (select count(*) as clicks from {{ slice('erp', 'clicks') }}) as c
""",
    "models/sales/daily_latest.sql": "{{ latest('daily') }}",
    "models/sales/running.sql": "select count(*) + coalesce((select max(n) from {{ slice(this, -1) }}), 0) as n "
    "from {{ slice('daily') }}",
    "models/sales/week.sql": "select count(*) as n from {{ slice('daily', range=7) }}",
    "models/sales/wrong.sql": "select no_such_column from (select 1 as n) as t",
    "models/sales/hourly.sql": "select count(*) as clicks from {{ slice('erp', 'clicks') }}",
    "models/sales/quarters.sql": "select count(*) as clicks from {{ slice('hourly') }}",
    "models/sales/stock.sql": "select id from {{ source('erp', 'customers') }}",
    "models/sales/summary.sql": "{{ config(materialized='table') }} "
    "select count(*) as n from {{ ref('stock') }} cross join {{ source('erp', 'orders') }}",
    "models/sales/clicked.sql": "{{ config(materialized='view') }} "
    "select count(*) as n from {{ source('erp', 'clicks') }}",
    "models/sales/by_station.sql": "select station from {{ source('weather', 'stations') }}",
}
