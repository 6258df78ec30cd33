{% macro same_type(known, selected) %}
  {{- return(adapter.dispatch('same_type', 'dbt')(known, selected)) -}}
{% endmacro %}

{% macro default__same_type(known, selected) %}
  {{- return(known | lower == selected | lower) -}}
{% endmacro %}

{% macro trino__same_type(known, selected) %}
  {#- A catalog may be set to show timestamps in milliseconds; the files are the same. -#}
  {%- set both = [known | lower | replace(', ', ','), selected | lower | replace(', ', ',')] -%}
  {{- return(both[0] == both[1] or (both[0].startswith('timestamp') and both[1].startswith('timestamp'))) -}}
{% endmacro %}
