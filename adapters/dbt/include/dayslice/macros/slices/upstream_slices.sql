{% macro upstream_slices(relation, table, source_name, offset, range) %}
  {%- do adapter.check_has_ds(model, 'slice()') -%}
  {%- set upstream = adapter.upstream_id(graph, model, table, source_name) -%}
  {%- set run = run_ds() -%}
  {%- set is_asked = model.resource_type == 'sql_operation' -%}
  {%- set in_unit_test = model.resource_type == 'unit_test' -%}
  {%- if in_unit_test and not (upstream and adapter.gives_ds(model, table)) -%}
    {{- return(relation) -}}
  {%- elif run is none or upstream is none -%}
    {#- Landed by others: its slices are taken to be of this table's grain. -#}
    {{- return(adapter.rows_of(relation, [ds(offset - range + 1), ds(offset)] if range > 1 else [ds(offset)])) -}}
  {%- endif -%}
  {%- set slices = adapter.slice_reads(graph, upstream, run, offset, range) -%}
  {%- if adapter.waits_for_nobody(model) and (is_asked or flags.WHICH in ['build', 'run', 'snapshot', 'retry']) -%}
    {%- do adapter.check_read(graph, model, upstream, slices) -%}
  {%- endif -%}
  {{- return(adapter.rows_of(relation, slices, in_unit_test)) -}}
{% endmacro %}
