{% macro limit_to_slice(relation) %}
  {%- if not execute or relation is string or config.get('meta', {}).get('slices') == 'all' -%}
    {{- return(relation) -}}
  {%- endif -%}
  {%- set node = adapter.node_at(graph, relation.schema, relation.identifier) -%}
  {%- if node and adapter.is_slice_table(node) -%}
    {{- return(node_slice(node, run_ds())) -}}
  {%- endif -%}
  {{- return(relation) -}}
{% endmacro %}
