"""Types are compared as the metastore holds them, whatever stands inside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayslice.errors import UsageError
from dayslice.rules.trino_types import Type, column_type, parse, same, stored


@pytest.mark.parametrize(
    ("trino", "hive"),
    [
        ("char(3)", "char(3)"),
        ("varchar(3)", "string"),
        ("integer", "int"),
        ("real", "float"),
        ("varbinary", "binary"),
        ("decimal(12,2)", "decimal(12,2)"),
        ("decimal(12, 2)", "decimal(12,2)"),
        ("timestamp(3)", "timestamp"),
        ("array(varchar(7))", "array<string>"),
        ("map(varchar(2), array(timestamp(0)))", "map<string,array<timestamp>>"),
        ('row("a b" bigint, c varchar(1))', "struct<a b:bigint,c:string>"),
        ("row(json_text varchar, uuid_of_it varchar, interval_days bigint)",
         "struct<json_text:string,uuid_of_it:string,interval_days:bigint>"),
        ("row(interval bigint, time varchar, timestamp timestamp(6))",
         "struct<interval:bigint,time:string,timestamp:timestamp>"),
        ("row(A row(B decimal(3,1)))", "struct<a:struct<b:decimal(3,1)>>"),
    ],
)  # fmt: skip
def test_what_trino_writes_is_what_hive_holds(trino, hive):
    assert same(trino, hive)
    assert same(column_type("c", trino), hive)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("char(3)", "char(4)"),
        ("char(3)", "varchar"),
        ("integer", "bigint"),
        ("decimal(12,2)", "decimal(12,3)"),
        ("timestamp(6)", "date"),
        ("array(bigint)", "array<int>"),
        ("row(a bigint, b varchar)", "struct<b:string,a:bigint>"),
        ("row(a bigint)", "struct<a:bigint,b:bigint>"),
    ],
)
def test_what_differs_is_told_apart(one, other):
    assert not same(one, other)


@pytest.mark.parametrize(
    ("type", "advice"),
    [
        ("json", "json_format(c)"),
        ("uuid", "cast(c as varchar)"),
        ("ipaddress", "cast(c as varchar)"),
        ("time(3)", "cast(c as varchar)"),
        ("time(3) with time zone", "cast(c as varchar)"),
        ("interval day to second", "cast(c as varchar)"),
        ("interval year to month", "cast(c as varchar)"),
        ("timestamp(3) with time zone", "cast(c at time zone 'UTC' as timestamp(6))"),
        ("HyperLogLog", "cast(c as varbinary)"),
        ("unknown", "cast(c as varchar), or as the type"),
        ("array(unknown)", "cast(c as array(varchar))"),
        ("row(bigint, varchar)", "each field has a name"),
        ("timestamp(7)", "cast(c as timestamp(6)), which rounds"),
        ("char(300)", "cast(c as varchar)"),
        ("row(a json, b bigint)", "its a of type json"),
        ("array(timestamp(9))", "its element of type timestamp(9)"),
        ("map(varchar, uuid)", "its value of type uuid"),
        ('row("a:b" bigint)', "not called a:b"),
    ],
)
def test_what_a_table_cannot_hold_is_refused_with_what_to_write(type, advice):
    with pytest.raises(UsageError) as refused:
        column_type("c", type)
    assert advice in str(refused.value)
    assert "column c" in str(refused.value)


@pytest.mark.parametrize("text", ["", "array(", "row(a bigint", "bigint)", "map<string", "row(a bigint,)"])
def test_what_is_no_type_is_one_sentence(text):
    with pytest.raises(UsageError, match="no type"):
        parse(text)


PLAIN = st.sampled_from(["bigint", "boolean", "double", "date", "varbinary"]).map(Type) | st.integers(1, 38).map(
    lambda digits: Type("decimal", (digits, digits // 2))
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters=',:<>"\x00', exclude_categories=["C"]), min_size=1)
TYPES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        inner.map(lambda part: Type("array", (), (part,))),
        st.tuples(PLAIN, inner).map(lambda parts: Type("map", (), parts)),
        st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3).map(
            lambda fields: Type("row", (), tuple(part for _, part in fields), tuple(name for name, _ in fields))
        ),
    ),
    max_leaves=6,
)


@given(TYPES)
def test_any_type_is_read_as_it_was_written(type):
    assert parse(str(type)) == type
    assert stored(parse(str(stored(type)))) == stored(type)
