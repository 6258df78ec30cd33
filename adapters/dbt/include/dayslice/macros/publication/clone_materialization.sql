{#- dbt's own, but that a table of slices is not cloned. What is staged reads production's slices where they are. -#}
{% materialization clone, adapter='dayslice_duckdb' %}
  {%- do refuse_clone() -%}
  {{- return(dbt.materialization_clone_default()) -}}
{% endmaterialization %}

{% materialization clone, adapter='dayslice_trino' %}
  {%- do refuse_clone() -%}
  {{- return(dbt.materialization_clone_default()) -}}
{% endmaterialization %}
