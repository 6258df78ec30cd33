{#- dbt's own hook for every generic test. What a test is given stays a relation, with its name and columns.
It is this run's slice already, as `ref` gives it to a test whose config does not say `meta: {slices: all}`. -#}
{% macro get_where_subquery(relation) -%}
  {%- set condition = config.get('where', '') -%}
  {%- if condition and relation is mapping -%}
    {%- do return(adapter.rows_that(relation, condition)) -%}
  {%- endif -%}
  {%- do return(relation) -%}
{%- endmacro %}
