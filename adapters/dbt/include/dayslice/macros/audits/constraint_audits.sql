{% macro constraint_audits(staged_relation) %}
  {#- An engine does not enforce a contract's constraints on what is staged, so they are audits. -#}
  {%- set audits = [] -%}
  {%- if config.get('contract').enforced -%}
    {%- set constraints = [] -%}
    {%- for constraint in model.constraints -%}
      {%- do constraints.append((constraint, constraint.columns)) -%}
    {%- endfor -%}
    {%- for column in model.columns.values() -%}
      {%- for constraint in column.constraints -%}
        {%- do constraints.append((constraint, [column.name])) -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- for constraint, names in constraints -%}
      {%- set quoted = [] -%}
      {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
      {%- set label = constraint.name or (constraint.type ~ ' ' ~ names | join(', ')) -%}
      {%- if constraint.type in ['not_null', 'primary_key'] -%}
        {%- do audits.append(own_audit(label,
          'select * from ' ~ staged_relation ~ ' where ' ~ quoted | join(' is null or ') ~ ' is null')) -%}
      {%- endif -%}
      {%- if constraint.type in ['unique', 'primary_key'] -%}
        {%- do audits.append(own_audit(label ~ ' (unique)',
          'select ' ~ quoted | join(', ') ~ ', count(*) as n from ' ~ staged_relation ~ ' where '
          ~ quoted | join(' is not null and ') ~ ' is not null group by ' ~ quoted | join(', ') ~ ' having count(*) > 1')) -%}
      {%- endif -%}
      {%- if constraint.type == 'check' -%}
        {%- do audits.append(own_audit(label,
          'select * from ' ~ staged_relation ~ ' where not (' ~ constraint.expression ~ ')')) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(audits) -}}
{% endmacro %}
