{% macro own_types(name) %}
  {#- The columns of a table that has no slice yet, for its `slice(this, …)`. -#}
  {%- set types = adapter.described_types(graph, name) -%}
  {%- if not types -%}
    {{- adapter.refuse(
      name ~ " reads its own earlier slices, and has none yet: give every column its data_type in the YAML, so that "
      ~ "the first slice can be computed"
    ) -}}
  {%- endif -%}
  {{- return(types) -}}
{% endmacro %}
