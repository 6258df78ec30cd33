{% macro file_properties() -%}
  , format = '{{ (config.get('meta').get('format') or 'ORC') | upper }}'
  {%- if config.get('meta').get('bucketed_by') -%}
    , bucketed_by = {{ names_array(config.get('meta').get('bucketed_by')) }}
    , bucket_count = {{ config.get('meta').get('bucket_count', 16) | int }}
    {%- if config.get('meta').get('sorted_by') -%}
      , sorted_by = {{ names_array(config.get('meta').get('sorted_by')) }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
