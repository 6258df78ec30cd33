{% macro asked_to_drop_history() %}
  {%- if not should_full_refresh() -%}
    {{- return(false) -}}
  {%- endif -%}
  {%- if var('drop_history', none) != model.name -%}
    {{- adapter.refuse(
      "--full-refresh would drop every slice of " ~ model.name ~ ", its history; nothing was done. To rebuild one slice, "
      ~ "leave --full-refresh out. To really drop the history, ask twice: --full-refresh --select " ~ model.name
      ~ " --vars '{ds: …, drop_history: " ~ model.name ~ "}'"
    ) -}}
  {%- endif -%}
  {{- return(true) -}}
{% endmacro %}
