{#- One slice of a table: its waits hold, then it is staged, audited and published. -#}
{% macro materialize_slice(version, begun=none, python_rows=none) %}
  {%- set ds = run_ds() -%}
  {%- set started = modules.datetime.datetime.now(modules.pytz.utc) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set drop_history = asked_to_drop_history() -%}

  {% set begun = begun or adapter.check_run(graph, model, ds) %}

  {%- do adapter.refuse_part_of_a_slice(model.name) -%}
  {%- do run_hooks_outside(pre_hooks) -%}
  {{ run_hooks(pre_hooks) }}
  {%- do run_sql_header() if not python_rows -%}

  {%- set selected_sql = 'select * from ' ~ python_rows if python_rows else adapter.one_select(model, sql) -%}
  {%- set existing_relation = none if drop_history else load_relation(this) -%}
  {%- set staged = stage_of_inputs(
    target_relation, existing_relation, selected_sql, ds, version, begun, may_repeat=not python_rows
  ) -%}
  {%- set audited = audit_slice(staged.relation, staged.columns, ds) -%}
  {%- set receipt = adapter.receipt(graph, model, staged.begun, compiled_code, started, invocation_id, audited) -%}

  {% do publish_slice(target_relation, staged.relation, staged.columns, ds, staged.version, receipt, drop_history) %}

  {%- do drop_relation(python_rows) if python_rows -%}
  {%- if not adapter.is_trial() -%}
    {%- do describe_slices(target_relation) -%}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation)) %}
  {%- endif -%}
  {{ run_hooks(post_hooks) }}
  {%- do adapter.end_transaction() -%}
  {%- do run_hooks_outside(post_hooks) -%}

  {% do log(this.render() ~ ' ' ~ ds ~ ': published ' ~ audited.rows ~ ' rows as ' ~ staged.version) %}
  {{ return({'relations': [target_relation]}) }}
{% endmacro %}
