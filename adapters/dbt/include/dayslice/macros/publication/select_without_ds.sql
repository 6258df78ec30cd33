{% macro select_without_ds(columns, select_sql) -%}
  select
    {% for column in columns.own -%}
      {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {% endfor -%}
  from (
    {{ select_sql }}
  ) as selected
{%- endmacro %}
