{% macro begin_run() %}
  {%- if execute and flags.WHICH in ['build', 'run', 'test', 'retry', 'snapshot', 'seed'] -%}
    {%- do adapter.check_project(graph) -%}
    {%- do adapter.share_memory(graph, selected_resources) -%}
    {%- do adapter.check_selected(graph, selected_resources) if flags.WHICH != 'test' -%}
    {%- if flags.WHICH not in ['snapshot', 'seed'] -%}
      {%- for each in selected_resources if each.split('.')[0] in ['model', 'test'] -%}
        {%- do run_ds() if loop.first -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
