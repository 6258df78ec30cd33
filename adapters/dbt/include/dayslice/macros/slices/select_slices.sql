{% macro select_slices(relation, slices) -%}
  {%- if slices is none -%}
    (select * from {{ relation }})
  {%- elif slices | length == 1 -%}
    (select * from {{ relation }} where ds = '{{ slices[0] }}')
  {%- else -%}
    (select * from {{ relation }} where ds between '{{ slices[0] }}' and '{{ slices[-1] }}')
  {%- endif -%}
{%- endmacro %}
