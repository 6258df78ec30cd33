{% macro node_slice(node, ds) %}
  {%- set relation = api.Relation.create(
    database=node.database,
    schema=node.schema,
    identifier=node.alias or node.identifier
  ) -%}
  {%- if ds and adapter.is_slice_table(node) -%}
    {{- return(select_slices(relation, adapter.slice_reads(graph, node.unique_id, ds, 0, 1)) ~ ' as other') -}}
  {%- endif -%}
  {{- return(relation) -}}
{% endmacro %}
