{% macro own_audit(name, failing_rows_sql) %}
  {{- return({
    'name': name,
    'sql': failing_rows_sql,
    'severity': 'error',
    'fail_calc': 'count(*)',
    'warn_if': '!= 0',
    'error_if': '!= 0',
    'limit': none,
  }) -}}
{% endmacro %}
