{% macro select_with_ds(columns, select_sql, ds) -%}
  select
    {% for column in columns.own -%}
      {{ adapter.quote(column.name) }},
    {% endfor -%}
    {% if columns.carries_ds -%}
      cast(ds as varchar) as ds
    {%- else -%}
      cast('{{ ds }}' as varchar) as ds
    {%- endif %}
  from (
    {{ select_sql }}
  ) as selected
{%- endmacro %}
