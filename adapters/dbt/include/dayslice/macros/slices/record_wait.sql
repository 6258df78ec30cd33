{% macro record_wait(as, table, source_name, offset, range, package=none, version=none) %}
  {#- A key of its own for each wait: dbt merges meta key by key. -#}
  {%- if not execute -%}
    {%- set named = [] -%}
    {%- for part in [package, source_name, table or 'this', 'v' ~ version if version is not none] if part -%}
      {%- do named.append(part) -%}
    {%- endfor -%}
    {%- do config(meta={
      'wait ' ~ named | join('.') ~ ' ' ~ offset ~ ' ' ~ range: {
        'as': as,
        'this': table is none,
        'source': source_name,
        'package': package,
        'table': table,
        'version': version,
        'offset': offset,
        'range': range,
        'waited': range > 0,
      }
    }) -%}
  {%- endif -%}
{% endmacro %}
