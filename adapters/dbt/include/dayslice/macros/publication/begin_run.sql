{% macro begin_run() %}
  {%- if execute and flags.WHICH in ['build', 'run', 'test', 'retry'] -%}
    {%- do adapter.check_project(graph) -%}
    {%- for each in selected_resources if each.split('.')[0] in ['model', 'test'] -%}
      {%- do run_ds() if loop.first -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
