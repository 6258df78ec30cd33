{% macro test_argument(test, value, ds) %}
  {#- `to: ref('t')` is a text in the graph: find the table among those the test depends on. -#}
  {%- if value is string and ('ref(' in value or 'source(' in value) -%}
    {%- set names = modules.re.findall("'([^']*)'|\"([^\"]*)\"", value) -%}
    {%- set name = names[-1][0] or names[-1][1] -%}
    {%- for unique_id in test.depends_on.nodes -%}
      {%- set node = graph.nodes.get(unique_id) or graph.sources[unique_id] -%}
      {%- if node.name == name -%}
        {{- return(node_slice(node, ds)) -}}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(value) -}}
{% endmacro %}
