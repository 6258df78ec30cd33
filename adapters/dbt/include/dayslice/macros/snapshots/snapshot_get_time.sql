{#- On Trino: the time in UTC as Hive can hold it, in milliseconds and without a zone. -#}
{% macro dayslice_trino__snapshot_get_time() -%}
  cast(current_timestamp at time zone 'UTC' as timestamp(3))
{%- endmacro %}
