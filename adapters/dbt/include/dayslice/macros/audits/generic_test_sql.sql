{% macro generic_test_sql(test, staged_relation, ds) %}
  {%- set metadata = test.test_metadata -%}
  {%- set arguments = {} -%}
  {%- for key, value in metadata.kwargs.items() if key != 'model' -%}
    {%- do arguments.update({key: test_argument(test, value, ds)}) -%}
  {%- endfor -%}
  {%- set macros = context[metadata.namespace] if metadata.namespace else context -%}
  {%- set audited = staged_relation -%}
  {%- if test.config.where -%}
    {%- set audited = '(select * from ' ~ staged_relation ~ ' where ' ~ render(test.config.where) ~ ') as audited' -%}
  {%- endif -%}
  {{- return(macros['test_' ~ metadata.name](model=audited, **arguments) | trim) -}}
{% endmacro %}
