"""A statement of Trino's whose tables are read as they were, and which slices of them it may read."""

import json

import pytest

from dayslice.errors import UsageError
from dayslice.rules.as_of_sql import Reach, as_it_was, body_of, latest_of, reading
from dayslice.rules.slices import Table


def put(table):
    return f"select 1 as {table.name}_then" if table.schema == "analytics" else None


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("select * from flat", 'SELECT * FROM (SELECT 1 AS flat_then) AS "flat"'),
        ('select F.id from hive.Analytics."FLAT" as F', "SELECT F.id FROM (SELECT 1 AS flat_then) AS F"),
        ("with flat as (select 1) select * from flat", "WITH flat AS (SELECT 1) SELECT * FROM flat"),
        ("select * from erp.orders", "SELECT * FROM erp.orders"),
        (
            "select 1 from a join b on a.x = b.x where x in (select x from c)",
            'SELECT 1 FROM (SELECT 1 AS a_then) AS "a" JOIN (SELECT 1 AS b_then) AS "b" ON a.x = b.x '
            'WHERE x IN (SELECT x FROM (SELECT 1 AS c_then) AS "c")',
        ),
        ("select * from flat f(x), unnest(array[1]) u(y)", None),
    ],
)
def test_each_table_is_read_as_it_was_under_its_own_name(sql, read):
    found = reading(sql, "analytics", put)
    if read is None:
        assert "(SELECT 1 AS flat_then) AS f(x)" in found
        assert "UNNEST" in found
    else:
        assert found == read


@pytest.mark.parametrize("sql", ["delete from flat", "select 1; select 2", "select from where"])
def test_what_is_no_query_is_refused(sql):
    with pytest.raises(UsageError, match="--as-of"):
        reading(sql, "analytics", put)


def test_a_latest_view_is_told_from_others():
    create = (
        "CREATE VIEW hive.a.flat_latest COMMENT 'as is' SECURITY DEFINER AS\nSELECT *\nFROM\n  hive.analytics.flat\n"
    )
    assert latest_of(body_of(create + "WHERE (ds = '2013-01-02')\n")) == Table("analytics", "flat")
    assert latest_of(body_of(create + "WHERE (id = '2013-01-02')\n")) is None
    assert latest_of("select id from analytics.flat where ds = '2013-01-02'") is None
    assert latest_of(body_of(create)) is None


def test_the_server_says_how_far_a_statement_reaches():
    def scan(table, *ranges):
        columns = [{"columnName": "ds", "type": "varchar", "domain": {"nullsAllowed": False, "ranges": list(ranges)}}]
        name = {"catalog": "hive", "schemaTable": {"schema": "analytics", "table": table}}
        return {"table": name, "constraint": {"none": False, "columnConstraints": columns if ranges else []}}

    one = {"low": {"value": "2013-01-02", "bound": "EXACTLY"}, "high": {"value": "2013-01-02", "bound": "EXACTLY"}}
    above = {"low": {"value": "2013-01-02", "bound": "ABOVE"}, "high": {"bound": "BELOW"}}
    scans = [scan("one", one), scan("above", above), scan("both", one), scan("both", above), scan("all")]
    reach = Reach.of(json.dumps({"inputTableColumnInfos": scans}))
    days = [f"2013-01-0{day}" for day in (1, 2, 3)]
    reached = {
        name: [reach.may(Table("analytics", name), ds) for ds in days] for name in ("one", "above", "both", "all")
    }
    assert reached == {
        "one": [False, True, False],
        "above": [False, False, True],
        "both": [False, True, True],
        "all": [True] * 3,
    }
    assert reach.may(Table("analytics", "not_named"), days[0])


def test_other_slices_are_read_from_kept_versions():
    said = as_it_was("t", {"id": "integer", "new": "varchar"}, ["d1", "d2"], {"d1": ("(select 1)", {"id": "integer"})})
    assert said == (
        "select \"id\", \"new\", ds from t where ds not in ('d1', 'd2') union all "
        'select "id", cast(null as varchar) as "new", \'d1\' as ds from (select 1)'
    )
