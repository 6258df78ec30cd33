{% macro rows_as_of(relation, table, source_name, date) %}
  {%- do adapter.check_has_ds(model, 'asof()') -%}
  {%- set upstream = adapter.published_id(graph, model, table, source_name, 'asof') -%}
  {%- set run = run_ds() -%}
  {%- if model.resource_type == 'unit_test' -%}
    {%- if not adapter.gives_ds(model, table) -%}
      {{- return(relation) -}}
    {%- endif -%}
    {#- Of the given rows, which are all that there is in a unit test. -#}
    {%- set last = adapter.last_within(graph, upstream, date) -%}
    {{- return(adapter.rows_that(
      relation, "ds is null or ds = (select max(ds) from " ~ relation ~ " where ds <= '" ~ last ~ "')"
    )) -}}
  {%- elif run is none -%}
    {{- return(adapter.rows_of(relation, [unknown_ds()])) -}}
  {%- endif -%}
  {%- set slices = [adapter.slice_as_of(graph, model, table, source_name, date, run)] -%}
  {%- if adapter.waits_for_nobody(model) and flags.WHICH in ['build', 'run', 'snapshot', 'retry'] -%}
    {%- do adapter.check_read(graph, model, upstream, slices) -%}
  {%- endif -%}
  {{- return(adapter.rows_of(relation, slices)) -}}
{% endmacro %}
