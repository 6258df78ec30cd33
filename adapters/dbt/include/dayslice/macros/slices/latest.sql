{% macro latest(table) -%}
  {%- set name = adapter.table_name(model, 'latest', table) -%}
  {{- config(materialized='view', meta={'latest_of': name}) -}}
  {%- set relation = builtins.ref(name) -%}
  {%- if execute -%}
    {#- On Trino the ds is filled in as the view is made, by one run at a time: see `view_materialization`. -#}
    {%- set newest = adapter.newest_slice(relation.schema, relation.identifier)
      if flags.WHICH in ['build', 'run', 'retry'] and target.type != 'dayslice_trino' -%}
    select * from {{ relation }} where ds = '{{ newest or "$ds" }}'
  {%- endif -%}
{%- endmacro %}
