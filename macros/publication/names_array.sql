{% macro names_array(names) -%}
  array[{% for name in ([names] if names is string else names) %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}
