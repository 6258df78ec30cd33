{% macro can_audit(test) %}
  {#- A test that reads a table which is not built before this one waits until after publication. -#}
  {%- for unique_id in test.depends_on.nodes if unique_id != model.unique_id and not adapter.is_ancestor(graph, unique_id, model) -%}
    {{- return(false) -}}
  {%- endfor -%}
  {{- return(true) -}}
{% endmacro %}
