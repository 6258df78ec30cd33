{% macro latest(table) -%}
  {{- config(materialized='view', meta={'latest_of': table}) -}}
  {%- set relation = ref(table) -%}
  {%- if execute -%}
    {%- set newest = adapter.newest_slice(relation.schema, relation.identifier)
      if flags.WHICH in ['build', 'run', 'retry'] -%}
    select * from {{ relation }} where ds = '{{ newest or "$ds" }}'
  {%- endif -%}
{%- endmacro %}
