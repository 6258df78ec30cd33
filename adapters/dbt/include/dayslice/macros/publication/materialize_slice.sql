{#- One slice of a table: its waits hold, then it is staged, audited and published. -#}
{% macro materialize_slice() %}
  {%- set ds = run_ds() -%}
  {%- set version = adapter.new_version() -%}
  {%- set started = modules.datetime.datetime.now(modules.pytz.utc) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set drop_history = asked_to_drop_history() -%}

  {% do adapter.check_run(graph, model, ds) %}

  {{ run_hooks(pre_hooks) }}

  {%- set existing_relation = none if drop_history else load_relation(this) -%}
  {%- set columns = follow_schema_change(existing_relation, slice_columns(sql)) -%}
  {% do refuse_changed_types(existing_relation, columns) %}

  {%- set staged_relation = stage_slice(target_relation, columns, sql, ds, version) -%}
  {%- set audits = audit_slice(staged_relation, columns, ds) -%}
  {%- set receipt = adapter.receipt(audits.rows, compiled_code, started, invocation_id, audits.record) -%}

  {% do publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history) %}

  {{ run_hooks(post_hooks) }}

  {% do log(this.render() ~ ' ' ~ ds ~ ': published ' ~ audits.rows ~ ' rows as ' ~ version) %}
  {{ return({'relations': [target_relation]}) }}
{% endmacro %}
