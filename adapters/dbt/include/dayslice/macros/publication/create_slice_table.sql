{% macro create_slice_table(target_relation, columns, layout) -%}
  create table if not exists {{ target_relation }} (
    {% for column in columns.own -%}
      {{ adapter.quote(column.name) }} {{ column.type }},
    {% endfor -%}
    ds varchar
  ) with (
    external_location = '{{ adapter.table_location(target_relation.schema, target_relation.identifier) }}',
    partitioned_by = array['ds']{{ file_properties(layout) }}
  )
{%- endmacro %}
