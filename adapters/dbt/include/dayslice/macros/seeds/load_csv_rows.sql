{#- dbt's own hook for a seed's rows. -#}
{% macro load_csv_rows(model, agate_table) %}
  {%- if target.type != 'dayslice_trino' -%}
    {{- return(adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table)) -}}
  {%- endif -%}
  {{- return(publish_seed(model, agate_table)) -}}
{% endmacro %}
