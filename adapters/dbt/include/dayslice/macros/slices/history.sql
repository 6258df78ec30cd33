{% macro history(table, table_in_source=none, key=none, without=()) -%}
  {%- set read = adapter.history_arguments(model, table, table_in_source, key, without) -%}
  {%- do record_wait('history', read.name, read.source, 0, 1) -%}
  {#- Its own newest slice, and one of its own for each slice of the table since then. -#}
  {%- do record_wait('history', read.name, read.source, -1, 1, asof='ds', this=true) -%}
  {%- set relation = builtins.source(read.source, read.name) if read.source else builtins.ref(read.name) -%}
  {%- if execute -%}
    {%- do adapter.check_has_ds(model, 'history()') -%}
    {%- set upstream = adapter.published_id(graph, model, read.name, read.source, 'history') -%}
    {%- do adapter.check_history(graph, model, upstream) -%}
    {%- set columns = columns_of_read(relation, upstream, read.name, read.source) -%}
    {%- set kept = columns | reject('in', read.without) | list -%}
    {%- do adapter.check_keys(model, read.name, read.key, kept) -%}
    {%- set snapshot = upstream_slices(relation, read.name, read.source, 0, 1) -%}
    {%- set ds = run_ds() or unknown_ds() -%}
    {%- if flags.WHICH in ['build', 'run', 'retry'] and model.resource_type == 'model' -%}
      {%- do check_history_key(snapshot, read.name, read.key, ds) -%}
    {%- endif -%}
    {{- select_history(snapshot, own_history(kept, ds), kept, read.key, ds) -}}
  {%- endif -%}
{%- endmacro %}
