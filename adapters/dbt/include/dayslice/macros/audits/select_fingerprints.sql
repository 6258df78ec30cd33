{% macro select_fingerprints(relation, names) %}
  {{- return(adapter.dispatch('select_fingerprints', 'dbt')(relation, names)) -}}
{% endmacro %}

{% macro duckdb__select_fingerprints(relation, names) -%}
  {#- A sum, not an exclusive or: two equal rows would take each other away. -#}
  {%- set quoted = [] -%}
  {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
  select
    count(*) as n,
    {{ 'sum(hash(' ~ quoted | join(', ') ~ '))' if quoted else '0' }} as fingerprint
    {%- for name in quoted %},
    sum(hash({{ name }})) as fingerprint_{{ loop.index }}
    {%- endfor %}
  from {{ relation }}
{%- endmacro %}

{% macro trino__select_fingerprints(relation, names) -%}
  {%- set quoted = [] -%}
  {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
  select
    count(*) as n,
    {{ 'to_hex(checksum(row(' ~ quoted | join(', ') ~ ')))' if quoted else "'0'" }} as fingerprint
    {%- for name in quoted %},
    to_hex(checksum({{ name }})) as fingerprint_{{ loop.index }}
    {%- endfor %}
  from {{ relation }}
{%- endmacro %}
