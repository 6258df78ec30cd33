{% macro run_hooks_outside(hooks) %}
  {%- for hook in hooks | selectattr('transaction', 'equalto', false) -%}
    {%- do adapter.end_transaction() -%}
    {%- set rendered = render(hook.get('sql')) | trim -%}
    {%- if rendered -%}
      {%- call statement(auto_begin=False) -%}{{ rendered }}{%- endcall -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}
