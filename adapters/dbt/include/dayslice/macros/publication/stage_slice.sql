{% macro stage_slice(target_relation, columns, select_sql, ds, version) %}
  {%- if config.get('contract').enforced -%}
    {%- set described = model.columns.keys() | map('lower') | list -%}
    {%- set contract_sql = adapter.select_with_ds(columns, select_sql, ds) if 'ds' in described
      else adapter.select_without_ds(columns, select_sql) -%}
    {%- do get_assert_columns_equivalent(contract_sql) -%}
  {%- endif -%}
  {{- return(adapter.dispatch('stage_slice', 'dbt')(target_relation, columns, select_sql, ds, version)) -}}
{% endmacro %}

{% macro duckdb__stage_slice(target_relation, columns, select_sql, ds, version) %}
  {#- A file of its own for each version: the query runs once. A refused slice's file stays until the next try. -#}
  {%- set stored = adapter.stored_columns(model.name, columns.own) -%}
  {%- set stage = adapter.begin_stage(target_relation.schema, target_relation.identifier, ds, version) -%}
  {%- call statement('main', auto_begin=False) -%}
    copy (
      {{ adapter.without_suppressed(
        graph, model, stored, adapter.select_as_stored(stored, adapter.select_with_ds(columns, select_sql, ds))
      ) }}
    ) to '{{ stage.file | replace("'", "''") }}' (format parquet, compression zstd, parquet_version v2)
  {%- endcall -%}
  {%- set staged_relation = api.Relation.create(
    database=target_relation.database,
    schema=adapter.staging_schema(),
    identifier=stage.identifier,
    type='view'
  ) -%}
  {%- do adapter.show_stage(staged_relation, columns.own) -%}
  {{- return(staged_relation) -}}
{% endmacro %}

{% macro trino__stage_slice(target_relation, columns, select_sql, ds, version) %}
  {#- An external table of its own for each version: the query runs once, and its files stay where they are. -#}
  {%- set layout = adapter.file_layout(graph, model, target_relation, columns.own, asked_to_drop_history()) -%}
  {%- do adapter.clean_stages(target_relation.schema, target_relation.identifier, ds) -%}
  {%- set staged_relation = api.Relation.create(
    database=target_relation.database,
    schema=adapter.staging_schema(),
    identifier=adapter.stage_identifier(target_relation.schema, target_relation.identifier, ds, version),
    type='table'
  ) -%}
  {%- do adapter.execute_once('create schema if not exists ' ~ staged_relation.without_identifier()) -%}
  {%- set location = adapter.version_location(target_relation.schema, target_relation.identifier, ds, version) -%}
  {%- call statement('main') -%}
    create table {{ staged_relation }}
    with (
      external_location = '{{ location }}'{{ file_properties(layout) }}
    ) as
    {{ adapter.without_suppressed(
      graph, model, columns.own,
      adapter.select_as_stored(columns.own, adapter.select_with_ds(columns, select_sql, ds)), version
    ) }}
  {%- endcall -%}
  {{- return(staged_relation) -}}
{% endmacro %}
