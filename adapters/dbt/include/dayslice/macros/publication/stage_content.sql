{% macro stage_content(version) %}
  {%- set staged_relation = api.Relation.create(
    database=this.database,
    schema=adapter.staging_schema(),
    identifier=adapter.stage_identifier(this.schema, this.identifier, 'content', version),
    type='table'
  ) -%}
  {%- do adapter.execute_once('create schema if not exists ' ~ staged_relation.without_identifier()) -%}
  {{- return(staged_relation) -}}
{% endmacro %}
