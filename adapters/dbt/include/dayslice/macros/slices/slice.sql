{% macro slice(table, table_or_offset=none, offset=none, range=1) -%}
  {%- if model is not defined or model.resource_type == 'macro' -%}
    {{- adapter.refuse(
      "slice() belongs in a model; in an operation write: from {{ ref('t') }} where ds = '{{ ds() }}'"
    ) -}}
  {%- endif -%}
  {#- In a unit test `this` is the name of a fixture, or none where none is given. -#}
  {%- set is_this = table == this or (table is none and model.resource_type == 'unit_test') -%}
  {%- set read = adapter.slice_arguments(model, is_this, table, table_or_offset, offset, range) -%}
  {%- do record_wait('slice', read.name, read.source, read.offset, read.range) -%}
  {%- if is_this -%}
    {{- own_slices(read.offset, read.range) -}}
  {%- else -%}
    {%- set relation = builtins.source(read.source, read.name) if read.source else builtins.ref(read.name) -%}
    {%- if execute -%}
      {{- upstream_slices(relation, read.name, read.source, read.offset, read.range) -}}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
