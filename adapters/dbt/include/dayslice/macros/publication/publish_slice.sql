{% macro publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history=false) %}
  {{- return(adapter.dispatch('publish_slice', 'dbt')(
    target_relation, staged_relation, columns, ds, version, receipt, drop_history
  )) -}}
{% endmacro %}

{% macro duckdb__publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history) %}
  {#- One transaction of the metastore. The files stay where they were staged. -#}
  {%- do adapter.publish_stage(staged_relation, columns.own, receipt, drop_history) -%}
{% endmacro %}

{% macro trino__publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history) %}
  {#- One call to the metastore: the partition's new location and its receipt. A trial changes no table. -#}
  {%- if drop_history -%}
    {%- do run_query('drop table if exists ' ~ target_relation) -%}
    {%- do adapter.drop_journal(target_relation.schema, target_relation.identifier) -%}
  {%- endif -%}
  {%- set layout = adapter.file_layout(graph, model, target_relation, columns.own, drop_history) -%}
  {%- set is_trial = adapter.is_trial() -%}
  {%- if not adapter.known_columns(target_relation.schema, target_relation.identifier) -%}
    {%- do adapter.note_trial_table(target_relation) if is_trial -%}
    {%- do adapter.execute_once(create_slice_table(target_relation, columns, layout)) -%}
  {%- endif -%}
  {%- set known = adapter.known_columns(target_relation.schema, target_relation.identifier) -%}
  {%- for column in columns.own if column.name | lower not in known and not is_trial -%}
    {%- do adapter.execute_once(
      'alter table ' ~ target_relation ~ ' add column ' ~ adapter.quote(column.name) ~ ' ' ~ column.type
    ) -%}
    {%- if loop.last -%}
      {%- set stale = adapter.stale_views(target_relation) -%}
      {%- if stale -%}
        {%- do exceptions.warn(
          model.name ~ ' got the column ' ~ column.name ~ ', and Trino reads these views of it no more, as they say '
          ~ 'select *: ' ~ stale | join(', ') ~ '. Make them again'
        ) -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set written = load_result('main').response.rows_affected -%}
  {%- do adapter.publish_stage(target_relation, staged_relation, ds, version, receipt, columns.own, written) -%}
{% endmacro %}
