{#- dbt's own, but that to a table of slices, a snapshot or a test it is this run's slice. -#}
{% macro source() %}
  {%- set relation = builtins.source(*varargs, **kwargs) -%}
  {{- return(relation_of_run(relation, varargs | last, varargs | first, none, none)) -}}
{% endmacro %}
