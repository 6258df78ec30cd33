{% macro relation_of_run(relation, name, source_name, package, version) %}
  {%- if model is not defined or not model -%}
    {{- return(relation) -}}
  {%- elif not execute -%}
    {%- do record_wait('ref', name, source_name, 0, 1, package, version) if model.resource_type == 'model' -%}
    {{- return(relation) -}}
  {%- elif model.resource_type == 'unit_test' -%}
    {%- set given = adapter.read_in_unit_test(graph, model, name, source_name, package, version) -%}
    {{- return(adapter.rows_of(relation, adapter.slice_reads(graph, given, run_ds(), 0, 1), true) if given else relation) -}}
  {%- elif relation.is_cte -%}
    {{- return(relation) -}}
  {%- elif model.resource_type == 'sql_operation' and not (var('ds', none) or env_var('DAYSLICE_DS', '')) -%}
    {#- A person's own SQL, as `dayslice sql` has it: without a ds a table is all of its slices. -#}
    {{- return(relation) -}}
  {%- endif -%}
  {%- if dayslice_staged is defined -%}
    {%- set staged = adapter.staged_instead(graph, model, dayslice_staged, name, source_name, package, version) -%}
    {%- if staged -%}{{- return(staged) -}}{%- endif -%}
  {%- endif -%}
  {%- set read = adapter.read_of_this_run(graph, model, name, source_name, package, version) -%}
  {%- if not read -%}
    {{- return(relation) -}}
  {%- endif -%}
  {%- set ds = run_ds() -%}
  {%- set is_asked = model.resource_type == 'sql_operation' -%}
  {%- if read.direct -%}
    {%- set slices = adapter.slice_reads(graph, read.tables[0], ds, 0, 1) if ds else [unknown_ds()] -%}
    {%- set is_run = is_asked or flags.WHICH in ['build', 'run', 'snapshot', 'retry'] -%}
    {%- if ds and is_run and adapter.waits_for_nobody(model) -%}
      {%- do adapter.check_read(graph, model, read.tables[0], slices) -%}
    {%- endif -%}
    {{- return(adapter.rows_of(relation, slices)) -}}
  {%- endif -%}
  {#- Made of tables of slices for all ds: its ds tells them apart, if it has one. -#}
  {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list -%}
  {%- if 'ds' in columns -%}
    {{- return(adapter.rows_of(relation, adapter.same_reads(graph, model, name, read.tables, ds) if ds else [unknown_ds()])) -}}
  {%- elif columns and flags.WHICH in ['build', 'run', 'retry'] -%}
    {%- do exceptions.warn(
      model.original_file_path ~ ': ' ~ name ~ ' has no column ds, so all rows of it are read, of all ds; if that is meant, '
      ~ "write all_slices('" ~ name ~ "'), if not, select ds in it or make it ephemeral"
    ) -%}
  {%- endif -%}
  {{- return(relation) -}}
{% endmacro %}
