{% macro record_wait(as, table, source_name, offset, range, package=none, version=none, asof=none, this=false) %}
  {#- A key of its own for each wait: dbt merges meta key by key. -#}
  {%- if not execute -%}
    {%- set named = [] -%}
    {%- set own = 'this' if this -%}
    {%- for part in [own, package, source_name, table or 'this', 'v' ~ version if version is not none] if part -%}
      {%- do named.append(part) -%}
    {%- endfor -%}
    {%- set far = [offset, range] if asof is none else [offset, range, asof] -%}
    {%- do config(meta={
      'wait ' ~ named | join('.') ~ ' ' ~ far | join(' '): {
        'as': as,
        'this': this or table is none,
        'source': source_name,
        'package': package,
        'table': table,
        'version': version,
        'offset': offset,
        'range': range,
        'asof': asof,
        'waited': range > 0,
      }
    }) -%}
  {%- endif -%}
{% endmacro %}
