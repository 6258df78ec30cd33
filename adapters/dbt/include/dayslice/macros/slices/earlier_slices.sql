{% macro earlier_slices(slices) -%}
  {%- set existing = load_relation(this) -%}
  {%- if existing is none -%}
    {{- select_nothing(own_types(model.name)) -}}
  {%- else -%}
    {%- set names = adapter.get_columns_in_relation(existing) | map(attribute='name') | map('lower') | list
      + adapter.staged_columns(existing) -%}
    {%- set added = [] -%}
    {%- for name, type in adapter.described_types(graph, model.name).items() if name not in names -%}
      {%- do added.append(', cast(null as ' ~ type ~ ') as ' ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {%- set earlier = adapter.rows_of(existing, slices) -%}
    {%- if added -%}
      (select *{{ added | join }} from {{ earlier }} as earlier)
    {%- else -%}
      {{- earlier -}}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
