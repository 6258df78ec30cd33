{% macro python_relation(version) %}
  {#- A python model writes a table of its own; what is staged is selected from it. -#}
  {%- set relation = api.Relation.create(
    database=this.database,
    schema='_staged',
    identifier='python__' ~ this.schema ~ '__' ~ this.identifier ~ '__' ~ version,
    type='table'
  ) -%}
  {%- do run_query('create schema if not exists ' ~ relation.without_identifier()) -%}
  {{- return(relation) -}}
{% endmacro %}
