{% macro run_ds() %}
  {#- Read only while executing, so that a new ds needs no new parse. -#}
  {%- set given = var('ds', none) or env_var('DAYSLICE_DS', '') -%}
  {%- if given -%}
    {{- return(adapter.parse_ds(given)) -}}
  {%- elif model is defined and model.resource_type == 'unit_test' -%}
    {{- return('2000-01-01') -}}
  {%- elif flags.WHICH in ['build', 'run', 'test', 'retry', 'show', 'snapshot', 'run-operation'] -%}
    {{- adapter.refuse(
      "no ds: say which slice, as in: dbt " ~ flags.WHICH ~ " --vars 'ds: 2018-03-01' (or set DAYSLICE_DS)"
    ) -}}
  {%- endif -%}
  {{- return(none) -}}
{% endmacro %}
