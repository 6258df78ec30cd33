{% macro select_fingerprints(relation, columns) %}
  {{- return(adapter.dispatch('select_fingerprints', 'dbt')(relation, columns)) -}}
{% endmacro %}

{% macro duckdb__select_fingerprints(relation, columns) -%}
  {#- A sum, not an exclusive or: two equal rows would take each other away. -#}
  {%- set quoted = [] -%}
  {%- for column in columns -%}{%- do quoted.append(adapter.quote(column.name)) -%}{%- endfor -%}
  select
    count(*) as n,
    {{ 'sum(hash(' ~ quoted | join(', ') ~ '))' if quoted else '0' }} as fingerprint
    {%- for name in quoted %},
    sum(hash({{ name }})) as fingerprint_{{ loop.index }}
    {%- endfor %}
  from {{ relation }}
{%- endmacro %}

{% macro trino__select_fingerprints(relation, columns) -%}
  {%- set row = adapter.row_value(columns) -%}
  select
    count(*) as n,
    {{ 'to_hex(checksum(' ~ row ~ '))' if row else 'null' }} as fingerprint
    {%- for column in columns %},
    to_hex(checksum({{ adapter.quote(column.name) }})) as fingerprint_{{ loop.index }}
    {%- endfor %}
  from {{ relation }}
{%- endmacro %}
