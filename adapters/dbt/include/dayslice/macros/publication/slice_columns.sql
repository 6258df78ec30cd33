{% macro slice_columns(select_sql) %}
  {#- ds is the table's last column, whether the SELECT carries it or not. -#}
  {%- do adapter.check_each_once(model, select_sql) -%}
  {%- set empty_sql = get_empty_subquery_sql(select_sql) -%}
  {%- set selected = adapter.get_column_schema_from_query(empty_sql) -%}
  {%- set untyped = adapter.untyped_columns(selected, empty_sql) -%}
  {%- set declared = adapter.declared_columns(model, selected) if not config.get('contract').enforced else {} -%}
  {%- set columns = [] -%}
  {%- set carries_ds = [] -%}
  {%- for column in selected -%}
    {%- if column.name | lower == 'ds' -%}
      {%- do carries_ds.append(column) -%}
    {%- else -%}
      {%- do columns.append(slice_column(column, declared.get(column.name | lower), column.name in untyped)) -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return({'own': columns, 'carries_ds': carries_ds | length > 0}) -}}
{% endmacro %}
