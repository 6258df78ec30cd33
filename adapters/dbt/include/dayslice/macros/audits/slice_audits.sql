{% macro slice_audits(staged_relation, columns, ds) %}
  {#- The ds check, the contract's constraints, and the model's own generic tests. -#}
  {%- set audits = [] -%}
  {%- if columns.carries_ds -%}
    {%- do audits.append(own_audit('every row has ds ' ~ ds,
      "select * from " ~ staged_relation ~ " where ds is distinct from '" ~ ds ~ "'")) -%}
  {%- endif -%}
  {%- if config.get('unique_key') -%}
    {%- set given = config.get('unique_key') -%}
    {%- set keys = ([given] if given is string else given) | join(', ') -%}
    {%- do audits.append(own_audit('unique_key ' ~ keys,
      'select ' ~ keys ~ ', count(*) as n from ' ~ staged_relation ~ ' group by ' ~ keys ~ ' having count(*) > 1')) -%}
  {%- endif -%}
  {%- for audit in constraint_audits(staged_relation) -%}
    {%- do audits.append(audit) -%}
  {%- endfor -%}
  {%- for test in adapter.audits_of(graph, model) -%}
    {%- do audits.append({
      'name': test.name,
      'sql': adapter.compiled_audit(test, model, staged_relation),
      'severity': test.config.severity | lower,
      'fail_calc': test.config.fail_calc,
      'warn_if': test.config.warn_if,
      'error_if': test.config.error_if,
      'limit': test.config.limit,
    }) -%}
  {%- endfor -%}
  {{- return(audits) -}}
{% endmacro %}
