{% macro own_slices(offset, range) -%}
  {%- if execute -%}
    {%- do adapter.check_has_ds(model, 'slice()') -%}
    {%- set slices = [ds(offset - range + 1), ds(offset)] if range > 1 else [ds(offset)] -%}
    {%- if model.resource_type == 'unit_test' -%}
      {%- if this and not adapter.gives_ds(model, none) -%}
        (select * from {{ this }})
      {%- elif this -%}
        (select * from {{ this }} where ds between '{{ slices[0] }}' and '{{ slices[-1] }}')
      {%- else -%}
        {{- select_nothing(own_types(model.tested_node_unique_id.split('.')[-1])) -}}
      {%- endif -%}
    {%- else -%}
      {{- earlier_slices(slices) -}}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
