{#- Staged from the inputs that the receipt names: computed again where one was replaced before its query had ended. -#}
{% macro stage_of_inputs(target_relation, existing_relation, select_sql, ds, version, begun, may_repeat, attempt=1) %}
  {%- set columns = follow_schema_change(
    existing_relation, adapter.slice_columns(model, select_sql, config.get('contract').enforced)
  ) -%}
  {%- do adapter.refuse_changed_types(model.name, existing_relation, columns) -%}
  {%- set staged_relation = stage_slice(target_relation, columns, select_sql, ds, version) -%}
  {%- if not adapter.has_changed_inputs(begun, attempt, may_repeat) -%}
    {{- return({'relation': staged_relation, 'columns': columns, 'version': version, 'begun': begun}) -}}
  {%- endif -%}
  {%- do adapter.abandon_stage(staged_relation) -%}
  {{- return(stage_of_inputs(
    target_relation, existing_relation, select_sql, ds, adapter.new_version(), adapter.check_run(graph, model, ds),
    may_repeat, attempt + 1
  )) -}}
{% endmacro %}
