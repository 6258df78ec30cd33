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
  {#- As a Hive table holds it: texts have no length, and timestamps are in microseconds. -#}
  {%- set type = column.data_type | lower -%}
  {%- set not_held = ['with time zone', 'time(', 'interval', 'uuid', 'json', 'ipaddress', 'unknown'] -%}
  {%- for each in not_held if each in type -%}
    {{- exceptions.raise_compiler_error(
      model.name ~ ': column ' ~ column.name ~ ' is of type ' ~ type ~ ', which a table on Trino cannot hold: write '
      ~ 'cast(' ~ column.name ~ (" at time zone 'UTC' as timestamp)" if 'zone' in type else ' as varchar)')
    ) -}}
  {%- endfor -%}
  {%- if type.startswith('varchar') -%}
    {{- return('varchar') -}}
  {%- elif type.startswith('timestamp') -%}
    {{- return('timestamp(6)') -}}
  {%- endif -%}
  {{- return(type) -}}
{% endmacro %}
