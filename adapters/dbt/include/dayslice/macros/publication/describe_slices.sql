{% macro describe_slices(target_relation) %}
  {{- return(adapter.dispatch('describe_slices', 'dbt')(target_relation)) -}}
{% endmacro %}

{% macro default__describe_slices(target_relation) %}
  {%- do persist_docs(target_relation, model) -%}
{% endmacro %}

{% macro duckdb__describe_slices(target_relation) %}
  {%- if config.persist_relation_docs() or config.persist_column_docs() -%}
    {%- do exceptions.warn(
      model.name ~ ': persist_docs is for Trino; the local engine keeps descriptions in the project and in dbt docs only'
    ) -%}
  {%- endif -%}
{% endmacro %}
