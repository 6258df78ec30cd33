{% macro slice(table, table_or_offset=none, offset=none, range=1) -%}
  {%- if table_or_offset is string -%}
    {%- set source_name, name = table, table_or_offset -%}
    {%- set periods_away = offset or 0 -%}
  {%- else -%}
    {%- set source_name, name = none, table -%}
    {%- set periods_away = table_or_offset or offset or 0 -%}
  {%- endif -%}
  {#- In a unit test `this` is the name of a fixture, or none where none is given. -#}
  {%- set is_this = name is not string or name == this -%}
  {%- if is_this and periods_away + range - 1 >= 0 -%}
    {{- adapter.refuse("slice(this, …) reads earlier slices only: write slice(this, -1)") -}}
  {%- endif -%}
  {%- do record_wait(none if is_this else name, source_name, periods_away, range) -%}
  {%- if is_this -%}
    {{- own_slices(periods_away, range) -}}
  {%- else -%}
    {%- set relation = source(source_name, name) if source_name else ref(name) -%}
    {%- if execute -%}
      {{- select_slices(relation, upstream_reads(name, source_name, periods_away, range)) -}}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
