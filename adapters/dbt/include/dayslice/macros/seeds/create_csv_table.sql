{#- dbt's own hook for a seed's first loading. On Trino all of it is done by `publish_seed`. -#}
{% macro create_csv_table(model, agate_table) %}
  {%- if target.type != 'dayslice_trino' -%}
    {{- return(adapter.dispatch('create_csv_table', 'dbt')(model, agate_table)) -}}
  {%- elif agate_table.rows | length == 0 -%}
    {{- return(publish_seed(model, agate_table)) -}}
  {%- endif -%}
  {{- return('') -}}
{% endmacro %}
