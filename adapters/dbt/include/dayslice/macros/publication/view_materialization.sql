{#- On Trino: a view names its columns, so that a table below it may get new ones; a latest one moves forward only. -#}
{% materialization view, adapter='dayslice_trino' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set grant_config = config.get('grants') -%}

  {{ run_hooks(pre_hooks) }}

  {%- if existing_relation is not none and not existing_relation.is_view -%}
    {%- do refuse_other_kind(existing_relation, 'a view') -%}
  {%- endif -%}
  {%- set create_sql = get_create_view_as_sql(target_relation, select_by_name(sql)) -%}
  {%- set latest_of = (config.get('meta') or {}).get('latest_of') -%}
  {%- if latest_of -%}
    {%- set of = builtins.ref(latest_of) -%}
    {%- do adapter.make_latest(of.schema, of.identifier, create_sql) -%}
    {%- call noop_statement('main', 'CREATE VIEW') -%}
      {{ create_sql }}
    {%- endcall -%}
  {%- else -%}
    {%- call statement('main') -%}
      {{ create_sql }}
    {%- endcall -%}
  {%- endif -%}
  {%- do apply_grants(target_relation, grant_config, should_revoke=True) -%}
  {%- do persist_docs(target_relation, model) -%}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- A view on the local target: its SQL is kept by the metastore, for every process and for the readers' file. -#}
{% materialization view, adapter='dayslice_duckdb' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set latest_of = (config.get('meta') or {}).get('latest_of') -%}

  {{ run_hooks(pre_hooks) }}

  {%- if config.get('contract').enforced -%}
    {%- do get_assert_columns_equivalent(sql) -%}
  {%- endif -%}
  {#- Bound once: what cannot be read does not stand. -#}
  {%- call statement('main', auto_begin=False) -%}
    describe select * from (
      {{ sql }}
    ) as seen
  {%- endcall -%}
  {%- do adapter.publish_view(target_relation, sql, builtins.ref(latest_of) if latest_of else none) -%}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
