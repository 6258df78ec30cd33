{% macro ds(periods=0) -%}
  {%- set periods = adapter.ds_periods(model, periods) -%}
  {%- if execute -%}
    {%- do adapter.check_has_ds(model, 'ds()') -%}
    {%- set run = run_ds() -%}
    {{- adapter.shift_ds(run, periods) if run else unknown_ds(periods) -}}
  {%- else -%}
    {#- So that `asof('t', ds(-7))` can be told from a fixed date. -#}
    {{- unknown_ds(periods) -}}
  {%- endif -%}
{%- endmacro %}
