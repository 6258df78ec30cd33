{% macro select_nothing(types) -%}
  (
    select
      {% for name, type in types.items() -%}
        cast(null as {{ type }}) as {{ adapter.quote(name) }}{{ ',' if not loop.last }}
      {% endfor -%}
    where false
  )
{%- endmacro %}
