{% macro ds(periods=0) -%}
  {%- if execute -%}
    {%- set run = run_ds() -%}
    {{- adapter.shift_ds(run, periods) if run else '$ds' ~ ('%+d' % periods if periods else '') -}}
  {%- endif -%}
{%- endmacro %}
