{% macro known_types(relation) %}
  {{- return(adapter.dispatch('known_types', 'dbt')(relation)) -}}
{% endmacro %}

{% macro default__known_types(relation) %}
  {%- set known = {} -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- do known.update({column.name | lower: column_type(column)}) -%}
  {%- endfor -%}
  {{- return(known) -}}
{% endmacro %}

{% macro trino__known_types(relation) %}
  {#- As the metastore holds them: a catalog may be set to show timestamps in milliseconds. -#}
  {{- return(adapter.held_types(relation.schema, relation.identifier)) -}}
{% endmacro %}
