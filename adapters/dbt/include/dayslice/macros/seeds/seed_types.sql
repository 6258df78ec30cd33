{% macro seed_types(model, agate_table) %}
  {%- set given = {} -%}
  {%- for name, type in (model.config.get('column_types') or {}).items() -%}
    {%- do given.update({name | lower: type}) -%}
  {%- endfor -%}
  {%- set types = [] -%}
  {%- for name in agate_table.column_names -%}
    {%- set type = given.get(name | lower) or adapter.convert_type(agate_table, loop.index0) -%}
    {%- do types.append(adapter.column_type(model.name, api.Column.create(name, type | lower))) -%}
  {%- endfor -%}
  {{- return(types) -}}
{% endmacro %}
