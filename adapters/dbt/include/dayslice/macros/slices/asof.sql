{% macro asof(table, table_or_date=none, date=none) -%}
  {%- if model is not defined or model.resource_type == 'macro' -%}
    {{- adapter.refuse(
      "asof() belongs in a model; in an operation write: from {{ ref('t') }} where ds = '2018-03-01'"
    ) -}}
  {%- endif -%}
  {%- set read = adapter.asof_arguments(model, table == this, table, table_or_date, date) -%}
  {%- do record_wait('asof', read.name, read.source, read.offset, 1, asof=read.date) -%}
  {%- set relation = builtins.source(read.source, read.name) if read.source else builtins.ref(read.name) -%}
  {%- if execute -%}
    {{- rows_as_of(relation, read.name, read.source, read.date) -}}
  {%- endif -%}
{%- endmacro %}
