{#- dbt's own hook for a seed that is there already. dbt-trino would drop it first, and readers would find nothing. -#}
{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {%- if target.type != 'dayslice_trino' -%}
    {{- return(adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table)) -}}
  {%- endif -%}
  {{- return(create_csv_table(model, agate_table)) -}}
{% endmacro %}
