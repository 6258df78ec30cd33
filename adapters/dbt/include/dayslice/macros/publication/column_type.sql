{% macro column_type(column) %}
  {{- return(adapter.dispatch('column_type', 'dbt')(column)) -}}
{% endmacro %}

{% macro default__column_type(column) %}
  {{- return(column.data_type) -}}
{% endmacro %}

{% macro duckdb__column_type(column) %}
  {#- dbt-duckdb gives a text column as varying(256). -#}
  {{- return(column.dtype) -}}
{% endmacro %}

{% macro trino__column_type(column) %}
  {{- return(adapter.stored_type(model.name, column.name, column.data_type)) -}}
{% endmacro %}
