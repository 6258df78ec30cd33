{#- dbt's own test, with the other table limited to this run's slice too. -#}
{% test relationships(model, column_name, to, field) %}
  {{ dbt.default__test_relationships(model, column_name, limit_to_slice(to), field) }}
{% endtest %}
