{% macro publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history=false) %}
  {{- return(adapter.dispatch('publish_slice', 'dbt')(
    target_relation, staged_relation, columns, ds, version, receipt, drop_history
  )) -}}
{% endmacro %}

{% macro duckdb__publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history) %}
  {#- One transaction: delete, insert, and the record of what is published. -#}
  {%- do adapter.begin_publication() -%}
  {%- if drop_history -%}
    {%- do run_query('drop table if exists ' ~ target_relation) -%}
    {%- do adapter.forget_slices(target_relation.schema, target_relation.identifier) -%}
  {%- endif -%}
  {%- call statement('create_table', auto_begin=False) -%}
    create table if not exists {{ target_relation }} as
    select * from {{ staged_relation }} where false
  {%- endcall -%}
  {%- set known = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | map('lower') | list -%}
  {%- for column in columns.own if column.name | lower not in known -%}
    {%- call statement('add_column', auto_begin=False) -%}
      alter table {{ target_relation }} add column {{ adapter.quote(column.name) }} {{ column.type }}
    {%- endcall -%}
  {%- endfor -%}
  {%- call statement('delete_slice', auto_begin=False) -%}
    delete from {{ target_relation }} where ds = '{{ ds }}'
  {%- endcall -%}
  {%- call statement('insert_slice', auto_begin=False) -%}
    insert into {{ target_relation }} by name
    select * from {{ staged_relation }}
  {%- endcall -%}
  {%- call statement('drop_stage', auto_begin=False) -%}
    drop table {{ staged_relation }}
  {%- endcall -%}
  {%- do adapter.record_slice(target_relation.schema, target_relation.identifier, ds, version, receipt) -%}
  {%- do adapter.commit() -%}
{% endmacro %}

{% macro trino__publish_slice(target_relation, staged_relation, columns, ds, version, receipt, drop_history) %}
  {#- One call to the metastore: the partition's new location and its receipt. -#}
  {%- if drop_history -%}
    {%- do run_query('drop table if exists ' ~ target_relation) -%}
    {%- do adapter.drop_journal(target_relation.schema, target_relation.identifier) -%}
  {%- endif -%}
  {%- set layout = adapter.file_layout(graph, model, target_relation, columns.own, drop_history) -%}
  {%- if not adapter.known_columns(target_relation.schema, target_relation.identifier) -%}
    {%- do adapter.execute_once(create_slice_table(target_relation, columns, layout)) -%}
  {%- endif -%}
  {%- set known = adapter.known_columns(target_relation.schema, target_relation.identifier) -%}
  {%- for column in columns.own if column.name | lower not in known -%}
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
  {%- do adapter.publish_stage(target_relation, staged_relation, ds, version, receipt) -%}
{% endmacro %}
