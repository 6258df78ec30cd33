{% macro unknown_ds(periods=0) -%}
  {{- return('$ds' ~ ('%+d' % periods if periods else '')) -}}
{%- endmacro %}
