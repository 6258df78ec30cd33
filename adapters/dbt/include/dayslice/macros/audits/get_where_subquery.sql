{#- dbt's own hook for every generic test, here limited to the run's slice: after publication a test of a table of
slices sees this ds only, unless its config says `meta: {slices: all}`. -#}
{% macro get_where_subquery(relation) -%}
  {%- set limited = limit_to_slice(relation) -%}
  {%- if config.get('where') -%}
    {%- do return('(select * from ' ~ limited ~ ' where ' ~ config.get('where') ~ ') as tested') -%}
  {%- endif -%}
  {%- do return(limited) -%}
{%- endmacro %}
