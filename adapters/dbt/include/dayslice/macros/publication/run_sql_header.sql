{% macro run_sql_header() %}
  {#- By itself: the SELECT is asked for its columns first, and written after, in the same session. -#}
  {%- set header = (config.get('sql_header') or '') | trim -%}
  {%- if header -%}
    {%- call statement('sql_header', auto_begin=False) -%}{{ adapter.one_select(model, header) }}{%- endcall -%}
  {%- endif -%}
{% endmacro %}
