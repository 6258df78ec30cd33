{% macro snapshot_content(strategy, source_sql, existing_relation) %}
  {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- do adapter.assert_valid_snapshot_target_given_strategy(existing_relation, names, strategy) -%}
  {#- dbt's own: a row to insert, or the end of one that is there, each with its kind in dbt_change_type. -#}
  {%- set changes_sql = snapshot_staging_table(strategy, source_sql, existing_relation) -%}
  {%- set changed = [] -%}
  {%- for column in adapter.get_column_schema_from_query(get_empty_subquery_sql(changes_sql)) -%}
    {%- if column.name != 'dbt_change_type' and not column.name.startswith('dbt_unique_key') -%}
      {%- do changed.append(column) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set kept = adapter.get_columns_in_relation(existing_relation) -%}
  {%- set kept_names = kept | map(attribute='name') | map('lower') | list -%}
  {%- set changed_names = changed | map(attribute='name') | map('lower') | list -%}
  {%- set added = [] -%}
  {%- for column in changed if column.name | lower not in kept_names -%}
    {%- do added.append(column) -%}
  {%- endfor -%}
  {%- set current = config.get('dbt_valid_to_current') -%}
  {%- set content_sql -%}
    with changes as (
      {{ changes_sql }}
    )
    select
      {% for column in kept -%}
        {%- if column.name | lower == names.dbt_valid_to | lower -%}
          case
            when ended.{{ names.dbt_scd_id }} is null then known.{{ names.dbt_valid_to }}
            when known.{{ names.dbt_valid_to }} is null then ended.{{ names.dbt_valid_to }}
            {% if current -%}
              when known.{{ names.dbt_valid_to }} = {{ current }} then ended.{{ names.dbt_valid_to }}
            {% endif -%}
            else known.{{ names.dbt_valid_to }}
          end as {{ adapter.quote(column.name) }}
        {%- else -%}
          known.{{ adapter.quote(column.name) }}
        {%- endif -%}
        {{ ',' if not loop.last or added }}
      {% endfor -%}
      {% for column in added -%}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
      {% endfor -%}
    from {{ existing_relation }} as known
    left join (select * from changes where dbt_change_type in ('update', 'delete')) as ended
      on known.{{ names.dbt_scd_id }} = ended.{{ names.dbt_scd_id }}
    union all
    select
      {% for column in kept + added -%}
        {%- if column.name | lower in changed_names -%}
          new.{{ adapter.quote(column.name) }}
        {%- else -%}
          cast(null as {{ column.data_type }})
        {%- endif -%}
        {{ ',' if not loop.last }}
      {% endfor -%}
    from changes as new
    where new.dbt_change_type = 'insert'
      and new.{{ names.dbt_scd_id }} not in (select {{ names.dbt_scd_id }} from {{ existing_relation }})
  {%- endset -%}
  {{- return(content_sql) -}}
{% endmacro %}
