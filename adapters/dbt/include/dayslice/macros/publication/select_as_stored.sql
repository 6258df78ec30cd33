{% macro select_as_stored(columns, select_sql) -%}
  select
    {% for column in columns.own -%}
      {%- if column.selected | lower == column.type -%}
        {{ adapter.quote(column.name) }},
      {%- else -%}
        cast({{ adapter.quote(column.name) }} as {{ column.type }}) as {{ adapter.quote(column.name) }},
      {%- endif %}
    {% endfor -%}
    ds
  from (
    {{ select_sql }}
  ) as sliced
{%- endmacro %}
