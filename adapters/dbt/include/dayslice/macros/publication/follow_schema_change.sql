{% macro follow_schema_change(existing_relation, columns) %}
  {%- set policy = config.get('on_schema_change') or 'ignore' -%}
  {%- if policy not in ['ignore', 'fail', 'append_new_columns', 'sync_all_columns'] -%}
    {{- adapter.refuse(model.name ~ ": on_schema_change: '" ~ policy ~ "' is not known: write append_new_columns") -}}
  {%- elif existing_relation is none -%}
    {{- return(columns) -}}
  {%- endif -%}
  {%- set known = adapter.get_columns_in_relation(existing_relation) | map(attribute='name') | map('lower') | list -%}
  {%- set selected = columns.own | map(attribute='name') | map('lower') | list -%}
  {%- set added = selected | reject('in', known) | list -%}
  {%- set gone = known | reject('in', selected + ['ds']) | list -%}
  {%- if gone and policy != 'append_new_columns' -%}
    {{- adapter.refuse(
      model.name ~ ' no longer selects ' ~ gone | join(', ') ~ ', which earlier slices have, and on_schema_change is '
      ~ policy ~ '; nothing was published. Select it, or set on_schema_change: append_new_columns, so that it is null'
    ) -}}
  {%- elif added and policy == 'fail' -%}
    {{- adapter.refuse(
      model.name ~ ' selects ' ~ added | join(', ') ~ ', which the table does not have, and on_schema_change is fail; '
      ~ 'nothing was published. Set on_schema_change: append_new_columns to add it'
    ) -}}
  {%- elif added and policy == 'ignore' -%}
    {%- do exceptions.warn(
      model.name ~ ' selects ' ~ added | join(', ') ~ ', which the table does not have, and on_schema_change is ignore: it '
      ~ 'is not stored. Set on_schema_change: append_new_columns to add it'
    ) -%}
    {%- set kept = [] -%}
    {%- for column in columns.own if column.name | lower in known -%}{%- do kept.append(column) -%}{%- endfor -%}
    {{- return({'own': kept, 'carries_ds': columns.carries_ds}) -}}
  {%- endif -%}
  {{- return(columns) -}}
{% endmacro %}
