{% macro column_type(column) %}
  {{- return(adapter.dispatch('column_type', 'dayslice')(column)) -}}
{% endmacro %}

{% macro default__column_type(column) %}
  {{- return(column.data_type) -}}
{% endmacro %}

{% macro duckdb__column_type(column) %}
  {#- dbt-duckdb gives a text column as varying(256). -#}
  {{- return(column.dtype) -}}
{% endmacro %}
