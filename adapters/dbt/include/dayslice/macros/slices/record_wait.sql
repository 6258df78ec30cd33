{% macro record_wait(table, source_name, offset, range) %}
  {#- A key of its own for each wait: dbt merges meta key by key. -#}
  {%- if not execute -%}
    {%- set what = 'this' if table is none else (source_name ~ '.' ~ table if source_name else table) -%}
    {%- do config(meta={
      'wait ' ~ what ~ ' ' ~ offset ~ ' ' ~ range: {
        'this': table is none,
        'source': source_name,
        'table': table,
        'offset': offset,
        'range': range,
      }
    }) -%}
  {%- endif -%}
{% endmacro %}
