{% macro file_properties(layout) -%}
  , format = '{{ layout.format }}'
  {%- if layout.bucketed_by -%}
    , bucketed_by = {{ names_array(layout.bucketed_by) }}
    , bucket_count = {{ layout.bucket_count }}
    {%- if layout.sorted_by -%}
      , sorted_by = {{ names_array(layout.sorted_by) }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
