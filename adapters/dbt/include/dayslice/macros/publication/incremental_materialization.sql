{#- dbt's incremental: with our strategy, or its other name, a table of slices; with any other the engine's own. -#}
{% materialization incremental, adapter='dayslice_duckdb', supported_languages=['sql', 'python'] %}
  {%- if adapter.is_slice_table(model) -%}
    {{- return(materialize_slice()) -}}
  {%- endif -%}
  {{- return(dbt.materialization_incremental_duckdb()) -}}
{% endmaterialization %}

{% materialization incremental, adapter='dayslice_trino', supported_languages=['sql'] %}
  {%- if adapter.is_slice_table(model) -%}
    {{- return(materialize_slice()) -}}
  {%- endif -%}
  {{- return(dbt.materialization_incremental_trino()) -}}
{% endmaterialization %}
