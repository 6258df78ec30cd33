{#- dbt's own hook for a unit test's input. dbt takes the columns' types from the engine; before a table's first slice,
they are taken from its YAML, so that a unit test needs no data. -#}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
  {%- set types = column_name_to_data_types or {} -%}
  {%- set existing_relation = load_relation(this) or (load_relation(defer_relation) if defer_relation) -%}
  {%- if not types and existing_relation -%}
    {%- for column in adapter.get_columns_in_relation(existing_relation) -%}
      {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
  {%- elif not types -%}
    {%- set types = adapter.described_types(graph, model.name, model.source_name or none) -%}
  {%- endif -%}
  {%- if not types -%}
    {{- adapter.refuse(
      "this unit test reads " ~ model.name ~ ", which has no slice yet: import or build one first, or give the columns "
      ~ "their data_type in its YAML"
    ) -}}
  {%- endif -%}
  {%- if not rows -%}
    {{- return(select_nothing(types)) -}}
  {%- endif -%}
  {%- set selects = [] -%}
  {%- for row in rows -%}
    {%- set given = format_row(row, types) -%}
    {%- set fields = [] -%}
    {%- for name, type in types.items() -%}
      {%- do fields.append(given.get(name, 'cast(null as ' ~ type ~ ')') ~ ' as ' ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {%- do selects.append('select ' ~ fields | join(', ')) -%}
  {%- endfor -%}
  {{- return(selects | join('\nunion all\n')) -}}
{% endmacro %}
