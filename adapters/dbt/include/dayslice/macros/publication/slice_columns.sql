{% macro slice_columns(select_sql) %}
  {#- ds is the table's last column, whether the SELECT carries it or not. -#}
  {%- set selected = adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql)) -%}
  {%- set columns = [] -%}
  {%- set carries_ds = [] -%}
  {%- for column in selected -%}
    {%- if column.name | lower == 'ds' -%}
      {%- do carries_ds.append(column) -%}
    {%- else -%}
      {%- do columns.append({'name': column.name, 'type': column_type(column), 'selected': column.data_type}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return({'own': columns, 'carries_ds': carries_ds | length > 0}) -}}
{% endmacro %}
