{% macro publish_seed(model, agate_table) %}
  {#- Written where nobody reads it, then shown by one call to the metastore. -#}
  {%- set version = adapter.new_version() -%}
  {%- set staged_relation = stage_content(version) -%}
  {%- set types = seed_types(model, agate_table) -%}
  {%- set create_sql -%}
    create table {{ staged_relation }} (
      {% for name in agate_table.column_names -%}
        {{ adapter.quote(name) }} {{ types[loop.index0] }}{{ ',' if not loop.last }}
      {% endfor -%}
    ) with (
      external_location = '{{ adapter.table_location(this.schema, this.identifier) }}/{{ version }}',
      format = 'ORC'
    )
  {%- endset -%}
  {%- call statement('create_seed') -%}{{ create_sql }}{%- endcall -%}
  {%- for values in adapter.seed_values(agate_table, types) -%}
    {%- call statement('insert_rows') -%}
      insert into {{ staged_relation }} values
      {{ values }}
    {%- endcall -%}
  {%- endfor -%}
  {%- do adapter.publish_content(this, staged_relation, agate_table.rows | length) -%}
  {{- return(create_sql) -}}
{% endmacro %}
