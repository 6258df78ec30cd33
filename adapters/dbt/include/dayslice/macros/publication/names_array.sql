{% macro names_array(names) -%}
  array[{% for name in names %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}
