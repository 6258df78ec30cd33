{% macro columns_of_read(relation, upstream, name, source_name) %}
  {%- if model.resource_type == 'unit_test' -%}
    {%- set relation = api.Relation.create(database=target.database, **adapter.place_of(upstream)) -%}
  {%- endif -%}
  {%- set existing = load_relation(relation) -%}
  {%- set names = [] -%}
  {%- if existing -%}
    {%- do names.extend(adapter.get_columns_in_relation(existing) | map(attribute='name') | map('lower')) -%}
  {%- else -%}
    {%- do names.extend(adapter.described_types(graph, name, source_name)) -%}
  {%- endif -%}
  {{- return(names | reject('equalto', 'ds') | list) -}}
{% endmacro %}
