{% macro latest(table) -%}
  {%- set name = adapter.table_name(model, 'latest', table) -%}
  {{- config(materialized='view', meta={'latest_of': name}) -}}
  {%- set relation = builtins.ref(name) -%}
  {%- if execute -%}
    {%- set newest = adapter.newest_slice(relation.schema, relation.identifier)
      if flags.WHICH in ['build', 'run', 'retry'] -%}
    select * from {{ relation }} where ds = '{{ newest or "$ds" }}'
  {%- endif -%}
{%- endmacro %}
