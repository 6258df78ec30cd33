{% macro audit_slice(staged_relation, columns, ds) %}
  {#- One scan counts the rows and takes their fingerprint. Then every audit runs, in one query. -#}
  {%- set measured = adapter.measured(select_fingerprints(staged_relation, columns.own), columns.own) -%}
  {%- set rows = measured.rows -%}
  {%- do adapter.check_rows(graph, model, ds, rows) -%}
  {%- set audits = slice_audits(staged_relation, columns, ds) -%}
  {%- set failed, warned = [], [] -%}
  {%- if audits -%}
    {%- set queries, names = [], audits | map(attribute='name') | list -%}
    {%- for audit in audits -%}
      {%- set counted = get_test_sql(audit.sql, audit.fail_calc, audit.warn_if, audit.error_if, audit.limit) -%}
      {%- do queries.append(
        'select ' ~ loop.index0 ~ ' as audit, failures, should_warn, should_error from (' ~ counted ~ ') as counted'
      ) -%}
    {%- endfor -%}
    {%- for found in adapter.counted_failures(model.name ~ ' ' ~ ds, names, queries) -%}
      {%- set audit = audits[found[0] | int] -%}
      {%- set line = audit.name ~ ': ' ~ found[1] ~ ' failing; to see them:\n' -%}
      {%- if audit.severity == 'error' and found[3] -%}
        {%- do failed.append(line ~ audit.sql) -%}
      {%- elif found[2] -%}
        {#- Once it is published, the rows are found in the table. -#}
        {%- set published = "(select * from " ~ this ~ " where ds = '" ~ ds ~ "')" -%}
        {%- do warned.append(line ~ audit.sql | replace(staged_relation | string, published)) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {%- for line in warned -%}
    {%- do exceptions.warn(model.name ~ ' ' ~ ds ~ ', audit ' ~ line) -%}
  {%- endfor -%}
  {%- if failed -%}
    {{- adapter.refuse(
      model.name ~ ' ' ~ ds ~ ' was refused by ' ~ failed | length ~ ' of ' ~ audits | length
      ~ ' audits; the published slice is as it was\n' ~ failed | join('\n')
    ) -}}
  {%- endif -%}
  {{- return({
    'rows': rows,
    'fingerprint': measured.fingerprint,
    'record': (audits | length - warned | length) ~ ' passed, ' ~ warned | length ~ ' warned',
  }) -}}
{% endmacro %}
