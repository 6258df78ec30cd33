{#- dbt's incremental: with our strategy, or its other name, a table of slices; with any other the engine's own. -#}
{% materialization incremental, adapter='dayslice_duckdb', supported_languages=['sql', 'python'] %}
  {%- set is_python = model.language == 'python' -%}
  {%- if is_python and not adapter.is_slice_table(model) -%}
    {{- adapter.refuse(model.original_file_path ~ ': a python model is a table of slices, a table or a view here') -}}
  {%- elif not adapter.is_slice_table(model) -%}
    {{- return(dbt.materialization_incremental_duckdb()) -}}
  {%- endif -%}
  {%- set version = adapter.new_version() -%}
  {%- if is_python -%}
    {%- set begun = adapter.check_run(graph, model, run_ds()) -%}
    {%- set rows = python_relation(version) -%}
    {#- Here, as dbt runs Python from the body of a materialization only. -#}
    {%- call statement('python', language='python') -%}
      {{- py_write_table(temporary=false, relation=rows, compiled_code=compiled_code) -}}
    {%- endcall -%}
  {%- endif -%}
  {{- return(materialize_slice(version, begun if is_python, rows if is_python)) -}}
{% endmaterialization %}

{% materialization incremental, adapter='dayslice_trino', supported_languages=['sql'] %}
  {%- if adapter.is_slice_table(model) -%}
    {{- return(materialize_slice(adapter.new_version())) -}}
  {%- endif -%}
  {{- return(dbt.materialization_incremental_trino()) -}}
{% endmaterialization %}
