{% macro upstream_reads(table, source_name, offset, range) %}
  {%- if model.resource_type == 'unit_test' -%}
    {{- return(none) -}}
  {%- endif -%}
  {%- set run = run_ds() -%}
  {%- if run is none -%}
    {{- return([ds(offset - range + 1), ds(offset)] if range > 1 else [ds(offset)]) -}}
  {%- endif -%}
  {%- set upstream = adapter.upstream_id(graph, model, table, source_name) -%}
  {%- if upstream is none -%}
    {#- Landed by others: its slices are taken to be of this table's grain. -#}
    {{- return([ds(offset - range + 1), ds(offset)] if range > 1 else [ds(offset)]) -}}
  {%- endif -%}
  {{- return(adapter.slice_reads(graph, upstream, run, offset, range)) -}}
{% endmacro %}
