{#- On Trino: Hive's tables know no MERGE, so all of it is written where nobody reads it, then shown in one step. -#}
{% materialization snapshot, adapter='dayslice_trino' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing_relation = load_relation(this) -%}
  {%- set version = adapter.new_version() -%}
  {%- if existing_relation is not none and not existing_relation.is_table -%}
    {%- do refuse_other_kind(existing_relation, 'a snapshot') -%}
  {%- endif -%}
  {%- if (config.get('properties') or {}).get('location') -%}
    {%- do adapter.refuse(model.name ~ ': a snapshot lies in the warehouse; take its property location away') -%}
  {%- endif -%}

  {%- do run_hooks_outside(pre_hooks) -%}
  {{ run_hooks(pre_hooks) }}

  {%- set strategy = strategy_dispatch(config.get('strategy'))(
    model, 'snapshotted_data', 'source_data', model.config, existing_relation is not none
  ) -%}
  {%- do refuse_doubled_keys(strategy.unique_key, sql) -%}
  {%- if existing_relation is none -%}
    {%- set content_sql = build_snapshot_table(strategy, sql) -%}
  {%- else -%}
    {%- set content_sql = snapshot_content(strategy, sql, existing_relation) -%}
  {%- endif -%}
  {%- set staged_relation = stage_content(version) -%}
  {%- call statement('main') -%}
    create table {{ staged_relation }}
    with (
      external_location = '{{ adapter.table_location(this.schema, this.identifier) }}/{{ version }}',
      format = 'ORC'
    ) as
    select
      {% for column in adapter.get_column_schema_from_query(get_empty_subquery_sql(content_sql)) -%}
        cast({{ adapter.quote(column.name) }} as {{ adapter.column_type(model.name, column) }}) as {{ adapter.quote(column.name) }}
        {{- ',' if not loop.last }}
      {% endfor -%}
    from (
      {{ content_sql }}
    ) as content
  {%- endcall -%}
  {%- do adapter.publish_content(target_relation, staged_relation, load_result('main').response.rows_affected) -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ run_hooks(post_hooks) }}
  {%- do run_hooks_outside(post_hooks) -%}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
