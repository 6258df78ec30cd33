{% macro same_type(known, selected) %}
  {{- return(adapter.dispatch('same_type', 'dayslice')(known, selected)) -}}
{% endmacro %}

{% macro default__same_type(known, selected) %}
  {{- return(known | lower == selected | lower) -}}
{% endmacro %}
