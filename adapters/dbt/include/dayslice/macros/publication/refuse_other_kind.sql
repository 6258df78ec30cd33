{% macro refuse_other_kind(existing_relation, wanted) %}
  {{- adapter.refuse(
    model.name ~ ' is to be ' ~ wanted ~ ', and ' ~ existing_relation ~ ' is a ' ~ existing_relation.type
    ~ ': nothing was done. Drop that, or give the model another name (alias)'
  ) -}}
{% endmacro %}
