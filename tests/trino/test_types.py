"""Types of slices on Trino: every one that a table holds is published twice; of all others it is said what to write."""

import pytest

YAML = """
sources:
  - name: erp
    config: {meta: {connection: erp, slice: events}}
    tables: [{name: orders}]
models:
  - {name: held, config: {meta: {slice: events}}}
  - {name: refused, config: {meta: {slice: events}}}
"""
VALUES = {
    "a_char": "cast('ab' as char(3))",
    "a_short_text": "cast('ab' as varchar(3))",
    "nested_texts": "cast(array['a'] as array(varchar(3)))",
    "nested_moments": "cast(array[timestamp '2013-01-05 12:00:00'] as array(timestamp(3)))",
    "quoted_fields": """cast(row(1, 'x') as row("a b" bigint, "select" varchar(2)))""",
    "only_names": "cast(row('j', 'u', 1) as row(json_text varchar, uuid varchar, interval_days bigint))",
    "a_map": "map(array['k'], array[cast(1.5 as decimal(3, 1))])",
    "a_moment": "timestamp '2013-01-05 12:00:00.123'",
}
SELECT = "select id, {} from {{{{ slice('erp', 'orders') }}}}"


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project({"models/m.yml": YAML, "models/refused.sql": SELECT.format("json '1' as j")})
    project.empty()
    project.land("orders", "2013-01-05", "values 1", "id int")
    return project


def test_every_type_that_a_table_holds_is_published_again(project):
    columns = ", ".join(f"{value} as {name}" for name, value in VALUES.items())
    project.write({"models/held.sql": SELECT.format(columns)})
    for _ in range(2):
        built = project.build("2013-01-05", "held")["held"]
        assert built.status == "success", built.message
    (row,) = project.query("select a_char, quoted_fields, only_names from analytics.held")
    assert row == ("ab ", (1, "x"), ("j", "u", 1))


def test_what_no_table_holds_is_refused_before_the_query_with_what_to_write(project):
    built = project.build("2013-01-05", "refused")["refused"]
    assert "json_format(j)" in built.message
    assert project.staged() == []
