{% macro stage_slice(target_relation, columns, select_sql, ds, version) %}
  {%- if config.get('contract').enforced -%}
    {%- set described = model.columns.keys() | map('lower') | list -%}
    {%- set contract_sql = select_with_ds(columns, select_sql, ds) if 'ds' in described
      else select_without_ds(columns, select_sql) -%}
    {%- do get_assert_columns_equivalent(contract_sql) -%}
  {%- endif -%}
  {{- return(adapter.dispatch('stage_slice', 'dbt')(target_relation, columns, select_sql, ds, version)) -}}
{% endmacro %}

{% macro duckdb__stage_slice(target_relation, columns, select_sql, ds, version) %}
  {%- set prefix = target_relation.schema ~ '__' ~ target_relation.identifier ~ '__' ~ ds ~ '__' -%}
  {%- for leftover in adapter.staged_tables(prefix) -%}
    {%- do run_query('drop table if exists _staged.' ~ adapter.quote(leftover)) -%}
  {%- endfor -%}
  {%- set staged_relation = api.Relation.create(
    database=target_relation.database,
    schema='_staged',
    identifier=prefix ~ version,
    type='table'
  ) -%}
  {#- Committed by itself: a refused slice's stage stays, for whoever wants to see its rows, until the next try. -#}
  {%- do adapter.end_transaction() -%}
  {%- call statement('main', auto_begin=False) -%}
    create table {{ staged_relation }} as
    {{ select_with_ds(columns, select_sql, ds) }}
  {%- endcall -%}
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
    {{ select_as_stored(columns, select_with_ds(columns, select_sql, ds)) }}
  {%- endcall -%}
  {{- return(staged_relation) -}}
{% endmacro %}
