{% macro same_type(known, selected) %}
  {{- return(adapter.dispatch('same_type', 'dbt')(known, selected)) -}}
{% endmacro %}

{% macro default__same_type(known, selected) %}
  {{- return(known | lower == selected | lower) -}}
{% endmacro %}

{% macro trino__same_type(known, selected) %}
  {{- return(adapter.is_same_type(known, selected)) -}}
{% endmacro %}
