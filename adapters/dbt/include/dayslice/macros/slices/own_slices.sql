{% macro own_slices(offset, range) -%}
  {%- if execute and model.resource_type == 'unit_test' -%}
    {{- '(select * from ' ~ this ~ ')' if this else select_nothing(own_types(model.tested_node_unique_id.split('.')[-1])) -}}
  {%- elif execute -%}
    {%- set existing = load_relation(this) -%}
    {%- if existing is none -%}
      {{- select_nothing(own_types(model.name)) -}}
    {%- else -%}
      {%- set slices = [ds(offset - range + 1), ds(offset)] if range > 1 else [ds(offset)] -%}
      {%- set names = adapter.get_columns_in_relation(existing) | map(attribute='name') | map('lower') | list -%}
      {%- set added = [] -%}
      {%- for name, type in adapter.described_types(graph, model.name).items() if name not in names -%}
        {%- do added.append(', cast(null as ' ~ type ~ ') as ' ~ adapter.quote(name)) -%}
      {%- endfor -%}
      {%- if added -%}
        (select *{{ added | join }} from {{ select_slices(existing, slices) }} as earlier)
      {%- else -%}
        {{- select_slices(existing, slices) -}}
      {%- endif -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
