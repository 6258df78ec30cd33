{% macro refuse_clone() %}
  {%- if adapter.is_slice_table(model) -%}
    {{- adapter.refuse(
      'a table of slices is not cloned: ' ~ model.name ~ ' can be read where it is, by dbt build --defer --state …'
    ) -}}
  {%- endif -%}
{% endmacro %}
