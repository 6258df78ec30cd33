{% macro refuse_changed_types(existing_relation, columns) %}
  {%- if existing_relation is not none -%}
    {%- set known = known_types(existing_relation) -%}
    {%- set changed = [] -%}
    {%- for column in columns.own if column.name | lower in known -%}
      {%- if not same_type(known[column.name | lower], column.type) -%}
        {%- do changed.append(column.name ~ ': ' ~ known[column.name | lower] ~ ' in the table, '
          ~ column.type ~ ' in the SELECT') -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if changed -%}
      {{- adapter.refuse(
        model.name ~ " would change the type of a column, and earlier slices cannot follow; nothing was published:\n  "
        ~ changed | join('\n  ') ~ "\nCast it to the table's type, or give it a new name"
      ) -}}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
