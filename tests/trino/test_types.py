"""Types of slices on Trino: every one that a table holds is published twice; of all others it is said what to write."""

import pytest

from dayslice.rules.trino_rows import row_value

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


# A literal of each type of which rows have a hash.
HASHED = {
    "bigint": "1",
    "integer": "2",
    "smallint": "3",
    "tinyint": "4",
    "boolean": "true",
    "double": "1.5e0",
    "real": "2.5e0",
    "decimal(10, 2)": "1.25",
    "date": "date '2013-01-01'",
    "timestamp(6)": "timestamp '2013-01-01 00:00:00.123456'",
    "timestamp(3) with time zone": "timestamp '2013-01-01 00:00:00.123 UTC'",
    "time(3)": "time '01:02:03.123'",
    "varchar": "'ä€'",
    "varchar(5)": "'abc'",
    "char(3)": "'ab'",
    "varbinary": "x'0102'",
    "uuid": "uuid '12151fd2-7586-11e9-8f9e-2a86e4085a59'",
    "array(bigint)": "array[1, 2]",
    "map(varchar, double)": "map(array['k'], array[1e0])",
    "row(x bigint, y varchar)": "row(1, 'x')",
}


def hashed(project, types, *rows):
    columns = [{"name": f"c{place}", "type": type} for place, type in enumerate(types)]
    casts = (
        ", ".join(
            f"cast({value} as {each['type']}) as {each['name']}" for value, each in zip(row, columns, strict=True)
        )
        for row in rows
    )
    selects = " union all ".join(f"select {row}" for row in casts)
    [(found,)] = project.query(f"select to_hex(checksum({row_value(columns)})) from ({selects})")
    return found


def test_a_row_s_hash_is_of_which_values_belong_together(project):
    whole = list(HASHED.values())
    rows = [whole, *([*whole[:n], "null", *whole[n + 1 :]] for n in range(len(whole))), ["null"] * len(whole)]
    assert len({hashed(project, HASHED, row) for row in rows}) == len(rows)
    numbers, texts = ["bigint"] * 2, ["varchar"] * 2
    assert hashed(project, numbers, (1, 2), (3, 4)) == hashed(project, numbers, (3, 4), (1, 2))
    assert hashed(project, numbers, (1, 2), (3, 4)) != hashed(project, numbers, (1, 4), (3, 2))
    assert hashed(project, numbers, (5, "null")) != hashed(project, numbers, ("null", 5))
    assert hashed(project, texts, ("'a'", "'bc'")) != hashed(project, texts, ("'ab'", "'c'"))
    assert hashed(project, texts, ("''", "'c'")) != hashed(project, texts, ("null", "'c'"))
    many = ["bigint", "varchar"] * 150
    assert hashed(project, many, ["1", "'x'"] * 150) != hashed(project, many, [*["1", "'x'"] * 149, "1", "'y'"])
