{% macro own_history(columns, ds) %}
  {%- if model.resource_type == 'unit_test' -%}
    {%- if not this -%}
      {{- return(none) -}}
    {%- endif -%}
    {%- set newest = " where ds = (select max(ds) from " ~ this ~ " where ds < '" ~ ds ~ "')" -%}
    {{- return("(select * from " ~ this ~ (newest if adapter.gives_ds(model, none)) ~ ")") -}}
  {%- endif -%}
  {%- set existing = load_relation(this) -%}
  {%- set before = adapter.own_slice_before(this, ds) if existing and run_ds() -%}
  {%- if not before -%}
    {{- return(none) -}}
  {%- endif -%}
  {%- set names = adapter.get_columns_in_relation(existing) | map(attribute='name') | map('lower') | list -%}
  {%- set added = [] -%}
  {%- for name in columns if name not in names -%}
    {%- do added.append(', null as ' ~ adapter.quote(name)) -%}
  {%- endfor -%}
  {{- return("(select *" ~ added | join ~ " from " ~ existing ~ " where ds = '" ~ before ~ "')") -}}
{% endmacro %}
