{% macro slice_column(column, declared, is_untyped) %}
  {%- if is_untyped and not declared -%}
    {{- adapter.refuse(
      model.name ~ ': column ' ~ column.name ~ ' is null and of no type, which no table can hold; nothing was published. '
      ~ 'Write cast(null as varchar) as ' ~ column.name ~ ', or give it a data_type in the YAML'
    ) -}}
  {%- endif -%}
  {%- set type = column_type(column) if not is_untyped -%}
  {%- if declared -%}
    {%- set wanted = column_type(declared) -%}
    {%- if is_untyped or (not same_type(type, wanted) and adapter.widens(type, wanted)) -%}
      {{- return({'name': column.name, 'type': wanted, 'selected': wanted, 'is_cast': true}) -}}
    {%- elif not same_type(type, wanted) -%}
      {{- adapter.refuse(
        model.name ~ ': column ' ~ column.name ~ ' is ' ~ type | lower ~ ' in the SELECT and ' ~ wanted | lower ~ ' in the '
        ~ 'YAML (data_type), and not all values would pass from one to the other; nothing was published. Cast it in the '
        ~ 'SELECT, or correct the YAML'
      ) -}}
    {%- endif -%}
  {%- endif -%}
  {{- return({'name': column.name, 'type': type, 'selected': column.data_type, 'is_cast': false}) -}}
{% endmacro %}
