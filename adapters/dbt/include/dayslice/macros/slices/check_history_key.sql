{% macro check_history_key(snapshot, table, key, ds) %}
  {%- set names = [] -%}
  {%- set nulls = [] -%}
  {%- for name in key -%}
    {%- do names.append(adapter.quote(name)) -%}
    {%- do nulls.append(adapter.quote(name) ~ ' is null') -%}
  {%- endfor -%}
  {%- set found = run_query(
    'select count(*) from (select ' ~ names | join(', ') ~ ' from ' ~ snapshot ~ ' as snapshot group by ' ~ names | join(', ')
    ~ ' having count(*) > 1 or ' ~ nulls | join(' or ') ~ ') as repeated'
  ) -%}
  {%- do adapter.refuse_repeated_keys(model, table, ds, key, found.columns[0].values()[0] | int) -%}
{% endmacro %}
