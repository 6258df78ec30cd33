{% macro refuse_doubled_keys(unique_key, source_sql) %}
  {%- set keys = [unique_key] if unique_key is string else unique_key -%}
  {%- set doubled_sql -%}
    select count(*)
    from (
      select 1
      from (
        {{ source_sql }}
      ) as source
      group by {{ keys | join(', ') }}
      having count(*) > 1
    ) as doubled
  {%- endset -%}
  {%- set doubled = run_query(doubled_sql).rows[0][0] -%}
  {%- if doubled > 0 -%}
    {{- adapter.refuse(
      model.name ~ ': ' ~ doubled ~ ' values of its unique_key (' ~ keys | join(', ') ~ ') stand in more than one row, so '
      ~ 'it cannot be said which row follows which; nothing was changed. Make it unique in the SELECT, or name more columns'
    ) -}}
  {%- endif -%}
{% endmacro %}
