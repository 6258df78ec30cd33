{% macro select_with_ds(columns, select_sql, ds) -%}
  select
    {% for column in columns.own -%}
      {%- if column.is_cast -%}
        cast({{ adapter.quote(column.name) }} as {{ column.type }}) as {{ adapter.quote(column.name) }},
      {%- else -%}
        {{ adapter.quote(column.name) }},
      {%- endif %}
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
