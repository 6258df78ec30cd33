{% macro all_slices(table, table_in_source=none, wait=0) -%}
  {%- set read = adapter.all_slices_arguments(model, table == this, table, table_in_source, wait) -%}
  {%- do record_wait('all', read.name, read.source, read.offset, read.range) -%}
  {{- return(builtins.source(read.source, read.name) if read.source else builtins.ref(read.name)) -}}
{%- endmacro %}
