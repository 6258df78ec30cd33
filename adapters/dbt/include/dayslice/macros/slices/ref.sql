{#- dbt's own, but that to a table of slices, a snapshot or a test it is this run's slice. -#}
{% macro ref() %}
  {%- set relation = builtins.ref(*varargs, **kwargs) -%}
  {%- set package = varargs[0] if varargs | length > 1 else none -%}
  {%- set version = kwargs.get('version', kwargs.get('v')) -%}
  {{- return(relation_of_run(relation, varargs | last, none, package, version)) -}}
{% endmacro %}
