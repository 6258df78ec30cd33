{#- dbt's own hook for every generic test, here limited to the run's slice: after publication a test of a table of
slices sees this ds only, unless its config says `meta: {slices: all}`. -#}
{% macro get_where_subquery(relation) -%}
  {%- set conditions = [] -%}
  {%- if config.get('where') -%}
    {%- do conditions.append('(' ~ config.get('where') ~ ')') -%}
  {%- endif -%}
  {%- if execute and config.get('meta', {}).get('slices') != 'all' -%}
    {%- set tested = model.get('attached_node') -%}
    {%- set node = graph.nodes.get(tested) if tested
      else adapter.source_of(graph, relation.schema, relation.identifier) -%}
    {%- if node and adapter.is_slice_table(node) and run_ds() -%}
      {%- do conditions.append("ds = '" ~ run_ds() ~ "'") -%}
    {%- endif -%}
  {%- endif -%}
  {%- if conditions -%}
    {%- do return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as tested') -%}
  {%- endif -%}
  {%- do return(relation) -%}
{%- endmacro %}
