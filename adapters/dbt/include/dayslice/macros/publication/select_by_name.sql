{% macro select_by_name(select_sql) -%}
  select
    {% for column in adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql)) -%}
      {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {% endfor -%}
  from (
    {{ select_sql }}
  ) as named
{%- endmacro %}
