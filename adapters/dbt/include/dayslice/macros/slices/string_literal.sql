{#- dbt's own. Of a relation it is the name, as packages mean it (`union_relations`), not the subquery of a slice. -#}
{% macro string_literal(value) -%}
  {%- set text = value.whole() if value is mapping and value.rows_where else value -%}
  {{- return(adapter.dispatch('string_literal', 'dbt')(text)) -}}
{%- endmacro %}
