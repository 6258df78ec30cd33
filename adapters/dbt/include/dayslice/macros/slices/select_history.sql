{% macro select_history(snapshot, own, columns, key, ds) -%}
  {%- set names = [] -%}
  {%- set same = [] -%}
  {%- set changed = [] -%}
  {%- for name in columns -%}
    {%- set quoted = adapter.quote(name) -%}
    {%- do names.append(quoted) -%}
    {%- if name in key -%}
      {%- do same.append('today.' ~ quoted ~ ' = open_rows.' ~ quoted) -%}
    {%- else -%}
      {%- do changed.append('today.' ~ quoted ~ ' is distinct from open_rows.' ~ quoted) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set quoted_key = adapter.quote(key[0]) -%}
  {%- if own is none -%}
select
  {{ names | join(',\n  ') }},
  cast('{{ ds }}' as varchar) as valid_from,
  cast(null as varchar) as valid_to
from {{ snapshot }} as today
  {%- else -%}
with today as (
  select * from {{ snapshot }} as snapshot
),

known as (
  select * from {{ own }} as own
),

open_rows as (
  select * from known where valid_to is null
),

ended as (
  select
    {% for name in names -%}
    open_rows.{{ name }},
    {% endfor -%}
    open_rows.valid_from,
    case
      when today.{{ quoted_key }} is null{{ ' or ' if changed }}{{ changed | join(' or ') }} then cast('{{ ds }}' as varchar)
    end as valid_to
  from open_rows
  left join today on {{ same | join(' and ') }}
),

begun as (
  select
    {% for name in names -%}
    today.{{ name }},
    {% endfor -%}
    cast('{{ ds }}' as varchar) as valid_from,
    cast(null as varchar) as valid_to
  from today
  left join open_rows on {{ same | join(' and ') }}
  where open_rows.{{ quoted_key }} is null{{ ' or ' if changed }}{{ changed | join(' or ') }}
)

select
  {{ names | join(',\n  ') }},
  valid_from,
  valid_to
from known
where valid_to is not null
union all
select * from ended
union all
select * from begun
  {%- endif -%}
{%- endmacro %}
